// Package simdpath chooses, before GoMLX's pure Go backend starts, which vector instructions that uses. Importing it is enough.
//
// Up to compute v0.1.10 the backend's AVX2 kernels compute bfloat16 products wrongly, from half of every vector, and leave the upper
// halves of registers dirty, which makes every scalar instruction after them slow on many processors: math.Exp takes 590 ns there
// instead of 14. So where a processor has AVX2 and no AVX-512 they are turned off, as GOMLX_SIMD_AVX2=0 does. A setting in the
// environment stands.
//
// GoMLX reads the setting when its packages are initialised, after k8s.io/klog, which it logs by. Go initialises packages that wait
// for nothing in the order of their import paths: this one, which waits for golang.org/x/sys alone, comes before.
package simdpath

import (
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// GoMLX's settings.
const (
	avx2Variable   = "GOMLX_SIMD_AVX2"
	avx512Variable = "GOMLX_SIMD_AVX512"
)

// Choice is what was chosen, for people.
var Choice = choose(cpu.X86.HasAVX2, hasAVX512())

// hasAVX512 asks for all that GoMLX's kernels need.
func hasAVX512() bool {
	x := cpu.X86
	return x.HasAVX512F && x.HasAVX512CD && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL
}

// choose sets the variable where it must be set.
func choose(avx2, avx512 bool) string {
	avx512 = avx512 && !off(avx512Variable)
	switch {
	case avx512:
		return "AVX-512"
	case !avx2:
		return "none that this processor has"
	case off(avx2Variable):
		return "none, AVX2 is turned off by " + avx2Variable
	case os.Getenv(avx2Variable) != "":
		return "AVX2, as " + avx2Variable + " says, though GoMLX's kernels for it are wrong in bfloat16"
	}
	_ = os.Setenv(avx2Variable, "0") // fails for names and values that are none
	return "none, GoMLX's kernels for AVX2 are slow and wrong in bfloat16; " + avx2Variable + "=1 uses them all the same"
}

// off says whether a variable has one of the values that GoMLX takes for false.
func off(name string) bool {
	return slices.Contains([]string{"0", "false", "f", "no", "off", "disabled"}, strings.ToLower(os.Getenv(name)))
}
