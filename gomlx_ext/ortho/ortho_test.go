package ortho_test

import (
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
	"github.com/mmiln/workbench/gomlx_ext/ortho"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

func golden(t *testing.T, name string) map[string]*tensors.Tensor {
	file, err := safetensors.ReadFile("testdata/" + name + ".safetensors")
	require.NoError(t, err)
	values := map[string]*tensors.Tensor{}
	for name := range file.Tensors {
		flat, shape, err := file.Float64(name)
		require.NoError(t, err)
		values[name] = tensors.FromFlatDataAndDimensions(flat, shape...)
	}
	return values
}

type loss func(x, y *Node) *Node

func attached(x, y *Node) *Node { return ortho.Soft(x, y, false) }
func detached(x, y *Node) *Node { return ortho.Soft(x, y, true) }

// withGradients is the loss and its gradients at x and y.
func withGradients(form loss) func(x, y *Node) []*Node {
	return func(x, y *Node) []*Node {
		value := form(x, y)
		return append([]*Node{value}, Gradient(value, x, y)...)
	}
}

func flat(x *tensors.Tensor) []float64 { return tensors.MustCopyFlatData[float64](x) }

func TestLossesMatchTorch(t *testing.T) {
	cases := []struct {
		name, grads string
		form        loss
	}{
		{"raw", "grad", ortho.Raw}, {"soft", "grad", attached}, {"soft", "detached", detached},
		{"soft_single", "grad", attached}, {"soft_single", "detached", detached},
	}
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, c := range cases {
			want := golden(t, c.name)
			got := MustExecOnceN(backend, withGradients(c.form), want["x"], want["y"])
			for i, part := range []string{"loss", c.grads + ".x", c.grads + ".y"} {
				require.True(t, want[part].Shape().Equal(got[i].Shape()), part)
				assert.InDeltaSlice(t, flat(want[part]), flat(got[i]), 1e-11, "%s %s", c.name, part)
			}
		}
	})
}

func TestSoftInSinglePrecisionStaysNearTheDoubleOne(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		want := golden(t, "soft")
		got := MustExecOnce(backend, func(x, y *Node) *Node {
			narrow := attached(ConvertDType(x, dtypes.Float32), ConvertDType(y, dtypes.Float32))
			return ConvertDType(narrow, dtypes.Float64)
		}, want["x"], want["y"])
		assert.InDelta(t, flat(want["loss"])[0], flat(got)[0], 1e-6)
	})
}

func TestABatchOfOneHasNoLossAndNoGradient(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, form := range []loss{attached, detached} {
			got := MustExecOnceN(backend, withGradients(form), [][]float64{{0.5, -3}}, [][]float64{{2, 1}})
			for _, result := range got {
				assert.Equal(t, make([]float64, result.Size()), flat(result))
			}
		}
	})
}

func TestIdenticalRowsHaveNoLossAndAFiniteGradient(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		same := [][]float64{{0.5, -3}, {0.5, -3}}
		for _, result := range MustExecOnceN(backend, withGradients(attached), same, same) {
			assert.Equal(t, make([]float64, result.Size()), flat(result))
		}
	})
}

func TestUncorrelatedColumnsHaveNoLoss(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		x, y := [][]float64{{1}, {1}, {-1}, {-1}}, [][]float64{{1}, {-1}, {1}, {-1}}
		assert.InDelta(t, 0, flat(MustExecOnce(backend, attached, x, y))[0], 1e-15)
		assert.InDelta(t, 16, flat(MustExecOnce(backend, attached, x, x))[0], 1e-4)
	})
}

func TestGradientsMatchFiniteDifferences(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		want := golden(t, "soft")
		for _, form := range []loss{ortho.Raw, attached} {
			exec := MustNewExec(backend, withGradients(form))
			at := func(values []float64) []*tensors.Tensor {
				return exec.MustCall(tensors.FromFlatDataAndDimensions(values, want["x"].Shape().Dimensions...), want["y"])
			}
			values := flat(want["x"])
			grad := flat(at(values)[1])
			for i := range values {
				const step = 1e-6
				up, down := slices.Clone(values), slices.Clone(values)
				up[i] += step
				down[i] -= step
				assert.InDelta(t, (flat(at(up)[0])[0]-flat(at(down)[0])[0])/(2*step), grad[i], 1e-7)
			}
		}
	})
}

func TestSoftDependsNeitherOnMeansNorOnLengths(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		want := golden(t, "soft")
		got := MustExecOnce(backend, func(x, y *Node) *Node {
			return attached(AddScalar(MulScalar(x, 7), 3), y)
		}, want["x"], want["y"])
		assert.InDelta(t, flat(want["loss"])[0], flat(got)[0], 1e-5) // the norms' 1e-6 is not scaled along
	})
}

func TestBatchesOfDifferentShapeAreRefused(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	_, err = ExecOnce(backend, attached, [][]float64{{1, 2}}, [][]float64{{1, 2, 3}})
	assert.ErrorContains(t, err, "must have the same shape")
}
