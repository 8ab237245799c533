package masked_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// golden reads float32 tensors, and the lengths as int32, from a file of testdata.
func golden(t *testing.T, path string, names ...string) map[string]*tensors.Tensor {
	file, err := safetensors.ReadFile("testdata/" + path)
	require.NoError(t, err)
	out := map[string]*tensors.Tensor{}
	for _, name := range names {
		values, shape, err := file.Float32(name)
		require.NoError(t, err)
		out[name] = tensors.FromFlatDataAndDimensions(values, shape...)
	}
	lengths, shape, err := file.Int64("lengths")
	require.NoError(t, err)
	narrow := make([]int32, len(lengths))
	for i, length := range lengths {
		narrow[i] = int32(length)
	}
	out["lengths"] = tensors.FromFlatDataAndDimensions(narrow, shape...)
	return out
}

func flat(x *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](x) }

func assertClose(t *testing.T, want, got *tensors.Tensor, delta float64, what string) {
	t.Helper()
	require.Equal(t, want.Shape().Dimensions, got.Shape().Dimensions, what)
	assert.InDeltaSlice(t, flat(want), flat(got), delta, what)
}

// reversedAxes is x with its three axes reversed.
func reversedAxes(x *Node) *Node { return TransposeAllAxes(x, 2, 1, 0) }

func TestMeanMatchesTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		want := golden(t, "mean.safetensors", "input", "output", "cotangent", "grad.input")
		got := MustExecOnceN(backend, func(x, lengths, cotangent *Node) []*Node {
			mean := masked.New(x, lengths).Mean()
			return []*Node{mean, Gradient(ReduceAllSum(Mul(cotangent, mean)), x)[0]}
		}, want["input"], want["lengths"], want["cotangent"])
		assertClose(t, want["output"], got[0], 1e-6, "output")
		assertClose(t, want["grad.input"], got[1], 1e-6, "grad.input")
	})
}

func TestConv1DMatchesTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for kernel, path := range map[int]string{1: "conv1.safetensors", 3: "conv3.safetensors", 5: "conv5.safetensors"} {
			want := golden(t, path, "input", "weight", "bias", "output", "cotangent", "grad.input", "grad.weight", "grad.bias")
			store := model.NewStore()
			store.VariableWithValue("/conv/weights", MustExecOnce(backend, reversedAxes, want["weight"]))
			store.VariableWithValue("/conv/bias", want["bias"])
			got := model.MustCallOnceN(backend, store, func(scope *model.Scope, x, lengths, cotangent *Node) []*Node {
				output := masked.Conv1D(scope.In("conv"), masked.New(x, lengths), cotangent.Shape().Dim(2), kernel).X
				weights, bias := variable(x, "/conv/weights"), variable(x, "/conv/bias")
				grads := Gradient(ReduceAllSum(Mul(cotangent, output)), x, weights, bias)
				return []*Node{output, grads[0], reversedAxes(grads[1]), grads[2]}
			}, want["input"], want["lengths"], want["cotangent"])
			for i, name := range []string{"output", "grad.input", "grad.weight", "grad.bias"} {
				assertClose(t, want[name], got[i], 1e-5, path+" "+name)
			}
		}
	})
}

func variable(x *Node, path string) *Node {
	return model.GetStore(x).GetVariable(path).NodeValue(x.Graph())
}

// noise is [2, steps, 3] of values that look random, the first steps alike for every number of steps; the lengths are 2 and 4.
func noise(steps int, padding func(t int) float32) (x, lengths *tensors.Tensor) {
	lengthOf := []int32{2, 4}
	values := make([]float32, 0, 2*steps*3)
	for b := range 2 {
		for step := range steps {
			for f := range 3 {
				value := float32(math.Sin(float64(1 + b*31 + step*7 + f*3)))
				if step >= int(lengthOf[b]) {
					value = padding(step)
				}
				values = append(values, value)
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(values, 2, steps, 3), tensors.FromFlatDataAndDimensions(lengthOf, 2)
}

// everything concatenates, per example, all that the package computes of the first 4 steps, [B, ·].
func everything(scope *model.Scope, x, lengths *Node) *Node {
	s := masked.New(x, lengths)
	conv := masked.Conv1D(scope.In("conv"), s, 2, 3)
	start := Slice(conv.X, AxisRange(), AxisRange(0, 4))
	return Concatenate([]*Node{s.Mean(), s.First(), conv.Mean(), conv.First(), Reshape(start, 2, 8)}, -1)
}

func TestFiftyMorePaddedStepsChangeNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		zero := func(int) float32 { return 0 }
		wild := func(step int) float32 { return float32(100 * step) }
		x, lengths := noise(4, zero)
		want := model.MustCallOnce(backend, model.NewStore(), everything, x, lengths)
		x, lengths = noise(54, wild)
		got := model.MustCallOnce(backend, model.NewStore(), everything, x, lengths)
		assertClose(t, want, got, 1e-6, "everything")
	})
}

func TestPaddedStepsAreNotReadAndTakeNoGradient(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		x, lengths := noise(6, func(int) float32 { return float32(math.NaN()) })
		grad := model.MustCallOnce(backend, model.NewStore(), func(scope *model.Scope, x, lengths *Node) *Node {
			return Gradient(ReduceAllSum(Square(everything(scope, x, lengths))), x)[0]
		}, x, lengths)
		for i, value := range flat(grad) {
			valid := i%18/3 < []int{2, 4}[i/18]
			assert.Equal(t, valid, value != 0, "step %d", i/3)
		}
	})
}

func TestGradientsMatchFiniteDifferences(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		x, lengths := noise(5, func(int) float32 { return 0 })
		exec := model.MustNewExec(backend, model.NewStore(), func(scope *model.Scope, x, lengths *Node) []*Node {
			loss := ReduceAllSum(Square(everything(scope, x, lengths)))
			return []*Node{loss, Gradient(loss, x)[0]}
		})
		lossAt := func(values []float32) float64 {
			return float64(flat(exec.MustCall(tensors.FromFlatDataAndDimensions(values, 2, 5, 3), lengths)[0])[0])
		}
		grad, values := flat(exec.MustCall(x, lengths)[1]), flat(x)
		for i := range values {
			const step = 1.0 / 64
			up, down := slices.Clone(values), slices.Clone(values)
			up[i] += step
			down[i] -= step
			assert.InDelta(t, (lossAt(up)-lossAt(down))/(2*step), grad[i], 1e-3, "value %d", i)
		}
	})
}

func TestAnEmptySequenceHasZerosAndNoNaN(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		got := model.MustCallOnceN(backend, model.NewStore(), func(scope *model.Scope, x, lengths *Node) []*Node {
			s := masked.New(x, lengths)
			sum := Add(Add(s.Mean(), s.First()), masked.Conv1D(scope.In("conv"), s, 3, 3).Mean())
			return []*Node{sum, Gradient(ReduceAllSum(Square(sum)), x)[0]}
		}, [][][]float32{{{1, 2, 3}, {4, 5, 6}}}, []int32{0})
		assert.Equal(t, make([]float32, 3), flat(got[0]))
		assert.Equal(t, make([]float32, 6), flat(got[1]))
	})
}

func TestMaskAndValidMarkTheStepsWithinTheLength(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		got := MustExecOnceN(backend, func(x, lengths *Node) []*Node {
			s := masked.New(x, lengths)
			return []*Node{s.Mask(), s.Valid()}
		}, [][][]float32{{{7}, {7}}, {{7}, {7}}, {{7}, {7}}, {{7}, {7}}}, []int32{0, 1, 2, 9})
		assert.Equal(t, [][][]float32{{{0}, {0}}, {{1}, {0}}, {{1}, {1}}, {{1}, {1}}}, got[0].Value())
		assert.Equal(t, [][]bool{{false, false}, {true, false}, {true, true}, {true, true}}, got[1].Value())
	})
}

func TestAKernelWiderThanTheSequenceSeesZerosBeyondIt(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store := model.NewStore()
		store.VariableWithValue("/weights", [][][]float32{{{1}}, {{10}}, {{100}}, {{1000}}, {{10000}}})
		store.VariableWithValue("/bias", []float32{0.5})
		got := model.MustCallOnce(backend, store, func(scope *model.Scope, x *Node) *Node {
			return masked.Conv1D(scope, masked.New(x, Const(x.Graph(), []int32{2})), 1, 5).X
		}, [][][]float32{{{1}, {2}}})
		assert.Equal(t, []float32{2100.5, 210.5}, flat(got))
	})
}

func TestEvenKernelsAreRefused(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	x, lengths := noise(4, func(int) float32 { return 0 })
	_, err = model.CallOnce(backend, model.NewStore(), func(scope *model.Scope, x, lengths *Node) *Node {
		return masked.Conv1D(scope, masked.New(x, lengths), 2, 4).X
	}, x, lengths)
	assert.ErrorContains(t, err, "a kernel of 4 steps has no middle")
}
