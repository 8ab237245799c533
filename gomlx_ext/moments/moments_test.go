package moments_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/moments"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

var cases = []string{"cmd_span2", "cmd_span1", "cmd_identical", "cmd_single"}

// golden reads a case of testdata: its tensors and the two numbers it was made with.
func golden(t *testing.T, name string) (values map[string]*tensors.Tensor, orders int, span float64) {
	file, err := safetensors.ReadFile("testdata/" + name + ".safetensors")
	require.NoError(t, err)
	var config struct {
		Orders int
		Span   float64
	}
	require.NoError(t, json.Unmarshal([]byte(file.Metadata["config"]), &config))
	values = map[string]*tensors.Tensor{}
	for name := range file.Tensors {
		flat, shape, err := file.Float64(name)
		require.NoError(t, err)
		values[name] = tensors.FromFlatDataAndDimensions(flat, shape...)
	}
	return values, config.Orders, config.Span
}

// withGradients is the discrepancy, its terms, and the gradients at both samples.
func withGradients(orders int, span float64) func(x, y *Node) []*Node {
	return func(x, y *Node) []*Node {
		total, terms := moments.CMD(x, y, orders, span)
		return append([]*Node{total, terms}, Gradient(total, x, y)...)
	}
}

// flat is the values of x, of either precision.
func flat(x *tensors.Tensor) []float64 {
	if x.DType() == dtypes.Float64 {
		return tensors.MustCopyFlatData[float64](x)
	}
	var out []float64
	for _, value := range tensors.MustCopyFlatData[float32](x) {
		out = append(out, float64(value))
	}
	return out
}

func TestCMDMatchesTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, name := range cases {
			want, orders, span := golden(t, name)
			got := MustExecOnceN(backend, withGradients(orders, span), want["x"], want["y"])
			for i, part := range []string{"cmd", "terms", "grad.x", "grad.y"} {
				require.Equal(t, want[part].Shape().String(), got[i].Shape().String())
				assert.InDeltaSlice(t, flat(want[part]), flat(got[i]), 1e-12, "%s %s", name, part)
			}
		}
	})
}

func TestCMDInSinglePrecisionStaysNearTheDoubleOne(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, name := range cases {
			want, orders, span := golden(t, name)
			got := MustExecOnceN(backend, withGradients(orders, span), single(want["x"]), single(want["y"]))
			for i, part := range []string{"cmd", "terms"} {
				assert.InDeltaSlice(t, flat(want[part]), flat(got[i]), 1e-6, "%s %s", name, part)
			}
		}
	})
}

func single(x *tensors.Tensor) *tensors.Tensor {
	var out []float32
	for _, value := range flat(x) {
		out = append(out, float32(value))
	}
	return tensors.FromFlatDataAndDimensions(out, x.Shape().Dimensions...)
}

func TestIdenticalSamplesHaveNoDiscrepancyAndNoGradient(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		want, orders, span := golden(t, "cmd_identical")
		for _, x := range []*tensors.Tensor{want["x"], single(want["x"])} {
			for _, result := range MustExecOnceN(backend, withGradients(orders, span), x, x) {
				assert.Equal(t, make([]float64, result.Size()), flat(result))
			}
		}
	})
}

func TestABatchOfOneComparesMeansOnly(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		got := MustExecOnceN(backend, withGradients(5, 2), [][]float64{{0.5, 0}}, [][]float64{{-0.1, 0.8}})
		assert.InDeltaSlice(t, []float64{0.5, 0, 0, 0, 0}, flat(got[1]), 1e-15)
		assert.InDeltaSlice(t, []float64{0.3, -0.4}, flat(got[2]), 1e-15)
	})
}

func TestTheGuardAtZeroLeavesSmallNormsAlone(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, distance := range []float64{1e-3, 1e-8, 1e-15} {
			got := MustExecOnceN(backend, withGradients(1, 1), [][]float64{{distance}}, [][]float64{{0}})
			assert.InEpsilon(t, distance, flat(got[0])[0], 1e-12)
			assert.InDelta(t, 1, flat(got[2])[0], 1e-12)
		}
	})
}

func TestGradientsMatchFiniteDifferences(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		want, orders, span := golden(t, "cmd_span2")
		exec := MustNewExec(backend, withGradients(orders, span))
		y := want["y"]
		at := func(values []float64) []*tensors.Tensor {
			return exec.MustCall(tensors.FromFlatDataAndDimensions(values, want["x"].Shape().Dimensions...), y)
		}
		values := flat(want["x"])
		grad := flat(at(values)[2])
		for i := range values {
			const step = 1e-6
			up, down := slices.Clone(values), slices.Clone(values)
			up[i] += step
			down[i] -= step
			assert.InDelta(t, (flat(at(up)[0])[0]-flat(at(down)[0])[0])/(2*step), grad[i], 1e-8)
		}
	})
}

func TestSamplesMayDifferInSizeAndTheirOrderDoesNotMatter(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		exec := MustNewExec(backend, withGradients(4, 2))
		a := [][]float64{{0.1, 0.2}, {0.9, -0.3}, {-0.5, 0.4}}
		b := [][]float64{{0.3, 0.3}, {-0.2, 0.6}}
		forward := flat(exec.MustCall(a, b)[0])[0]
		shuffled := [][]float64{a[2], a[0], a[1]}
		assert.InDelta(t, forward, flat(exec.MustCall(b, shuffled)[0])[0], 1e-15)
	})
}

func TestSamplesOfDifferentWidthAreRefused(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	_, err = ExecOnceN(backend, withGradients(5, 2), [][]float64{{1, 2}}, [][]float64{{1, 2, 3}})
	assert.ErrorContains(t, err, "with the same d")
}
