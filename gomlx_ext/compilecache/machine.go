package compilecache

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/cpu"
)

// machineVariables change what a compiler makes of a program.
var machineVariables = []string{"XLA_FLAGS", "TF_XLA_FLAGS", "NPROC", "OMP_NUM_THREADS"}

// Machine describes what machine code depends on beside the program: the processor and its features, how many of its cores the
// process may use, which XLA splits loops by, and the environment's flags.
func Machine() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s/%s, %d cores\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	for _, name := range machineVariables {
		fmt.Fprintf(&b, "%s=%q\n", name, os.Getenv(name))
	}
	fmt.Fprintf(&b, "%+v %+v\n", cpu.X86, cpu.ARM64)
	if cpuinfo, err := os.ReadFile("/proc/cpuinfo"); err == nil { // Linux alone, where it has more than Go asks for
		b.WriteString(firstProcessor(string(cpuinfo)))
	}
	return b.Bytes()
}

// processorFields are the lines of /proc/cpuinfo that tell one kind of processor from another, on x86 and on ARM.
var processorFields = []string{
	"vendor_id", "cpu family", "model", "model name", "stepping", "flags",
	"CPU implementer", "CPU architecture", "CPU variant", "CPU part", "CPU revision", "Features", "isa",
}

// firstProcessor keeps those lines of the first processor of /proc/cpuinfo.
func firstProcessor(cpuinfo string) string {
	block, _, _ := strings.Cut(cpuinfo, "\n\n")
	var kept strings.Builder
	for line := range strings.Lines(block) {
		name, value, _ := strings.Cut(line, ":")
		if slices.Contains(processorFields, strings.TrimSpace(name)) {
			fmt.Fprintf(&kept, "%s: %s\n", strings.TrimSpace(name), strings.TrimSpace(value))
		}
	}
	return kept.String()
}
