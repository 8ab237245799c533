package simdpath_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/simdpath"
)

// asChild makes this test binary print the choice and the error of products of bfloat16, for settings that count only when a process starts.
const asChild = "SIMDPATH_TEST_AS_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		printProduct()
		return
	}
	os.Exit(m.Run())
}

// printProduct compares products of small whole numbers, which bfloat16 holds as they are, with those of float32, in the layout
// of attention's scores.
func printProduct() {
	backend, _, err := device.Open("go")
	if err != nil {
		panic(err)
	}
	scores := func(x, y *Node) *Node { return Einsum("bqd,bkd->bqk", x, y) }
	farthest := MustNewExec(backend, func(x, y *Node) *Node {
		half := scores(ConvertDType(x, dtypes.BFloat16), ConvertDType(y, dtypes.BFloat16))
		return ReduceAllMax(Abs(Sub(ConvertDType(half, dtypes.Float32), scores(x, y))))
	})
	worst := farthest.MustCall(signs(4, 5, 48), signs(4, 7, 48))[0].Value().(float32)
	print(simdpath.Choice, "|", int(worst), "|", os.Getenv("GOMLX_SIMD_AVX2"))
}

// signs are −1, 0 and 1 in no simple order.
func signs(dims ...int) *tensors.Tensor {
	values := make([]float32, dims[0]*dims[1]*dims[2])
	for i := range values {
		values[i] = float32((i*31+i/7*17+i*i)%3 - 1)
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

// child runs the test binary anew under some settings.
func child(t *testing.T, settings ...string) (choice, worst, avx2 string) {
	t.Helper()
	executable, err := os.Executable()
	require.NoError(t, err)
	command := exec.Command(executable)
	command.Env = append(append(os.Environ(), asChild+"=1", "GOMLX_SIMD_AVX2=", "GOMLX_SIMD_AVX512="), settings...)
	said, err := command.CombinedOutput()
	require.NoError(t, err, string(said))
	words := strings.Split(string(said), "|")
	require.Len(t, words, 3, string(said))
	return words[0], words[1], words[2]
}

// On a processor with AVX2, whether or not it has AVX-512 too, this is the one that has only AVX2: the product shows that GoMLX saw
// the choice in time.
func TestProductsOfHalfPrecisionAreRightWithoutAVX512(t *testing.T) {
	choice, worst, _ := child(t, "GOMLX_SIMD_AVX512=0")
	require.Equal(t, "0", worst, choice)
	require.NotContains(t, choice, "AVX-512")
}

func TestProductsOfHalfPrecisionAreRightAsTheProcessorIs(t *testing.T) {
	choice, worst, _ := child(t)
	require.Equal(t, "0", worst, choice)
}

func TestASettingInTheEnvironmentStands(t *testing.T) {
	for _, value := range []string{"1", "0", "off"} {
		_, _, got := child(t, "GOMLX_SIMD_AVX512=0", "GOMLX_SIMD_AVX2="+value)
		require.Equal(t, value, got)
	}
}
