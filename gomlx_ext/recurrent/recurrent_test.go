package recurrent_test

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
)

type layer struct {
	kind   recurrent.Kind
	both   bool
	hidden int
}

// build makes the layer in scope rnn, with lengths where they are given.
func (l layer) build(scope *model.Scope, x, lengths *Node) (sequence, last *Node) {
	config := recurrent.New(l.kind, scope.In("rnn"), x, l.hidden)
	if l.both {
		config.Bidirectional()
	}
	if lengths != nil {
		config.Lengths(lengths)
	}
	return config.Done()
}

// result is what a layer gives, and the gradients of Σ wOutput ⊙ output + Σ wLast ⊙ last.
type result struct {
	output, last, input *tensors.Tensor
	parameters          map[string]*tensors.Tensor // by path
}

// run builds and runs a layer once.
func (l layer) run(t *testing.T, backend compute.Backend, store *model.Store, x, lengths, wOutput, wLast *tensors.Tensor) result {
	return l.compile(t, backend, store)(t, x, lengths, wOutput, wLast)
}

type pass func(t *testing.T, x, lengths, wOutput, wLast *tensors.Tensor) result

func (l layer) compile(t *testing.T, backend compute.Backend, store *model.Store) pass {
	var paths []string
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, in []*Node) []*Node {
		output, last := l.build(scope, in[0], in[1])
		loss := Add(ReduceAllSum(Mul(output, in[2])), ReduceAllSum(Mul(last, in[3])))
		wrt := []*Node{in[0]}
		paths = nil
		for v := range scope.IterVariables() {
			paths, wrt = append(paths, v.Path()), append(wrt, v.NodeValue(in[0].Graph()))
		}
		return append([]*Node{output, last}, Gradient(loss, wrt...)...)
	})
	require.NoError(t, err)
	return func(t *testing.T, x, lengths, wOutput, wLast *tensors.Tensor) result {
		out, err := exec.Exec(x, lengths, wOutput, wLast)
		require.NoError(t, err)
		r := result{out[0], out[1], out[2], map[string]*tensors.Tensor{}}
		for i, path := range paths {
			r.parameters[path] = out[3+i]
		}
		return r
	}
}

// each runs a test for both cells, both directions, on both backends.
func each(t *testing.T, test func(t *testing.T, backend compute.Backend, l layer)) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, golden := range goldens {
			if golden.both {
				t.Run(golden.file, func(t *testing.T) { test(t, backend, golden.layer) })
			}
		}
	})
}

func (l layer) width() int {
	if l.both {
		return 2 * l.hidden
	}
	return l.hidden
}

var lengths = []int32{3, 6, 1, 4}

// compiled holds the layers as they are initialised, by backend and layer, since compiling takes most of a test's time.
var compiled = map[any]pass{}

// initial is the layer as it is initialised.
func (l layer) initial(t *testing.T, backend compute.Backend) pass {
	key := struct {
		string
		layer
	}{backend.Name(), l}
	if compiled[key] == nil {
		compiled[key] = l.compile(t, backend, model.NewStore())
	}
	return compiled[key]
}

// fixture is a run of 4 examples of 6 steps of 3 features, with padded steps of noise appended.
func (l layer) fixture(t *testing.T, backend compute.Backend, lengths []int32, padding int) result {
	x, w := padded(noise(1, 4, 6, 3), padding), padded(noise(2, 4, 6, l.width()), padding)
	return l.initial(t, backend)(t, x, tensors.FromValue(lengths), w, noise(3, 4, l.width()))
}

// padded appends steps of noise to x [B, T, d].
func padded(x *tensors.Tensor, steps int) *tensors.Tensor {
	batch, time, width := x.Shape().Dim(0), x.Shape().Dim(1), x.Shape().Dim(2)
	values, extra := flat(x), flat(noise(9, batch, steps, width))
	var out []float32
	for b := range batch {
		out = append(out, values[b*time*width:(b+1)*time*width]...)
		out = append(out, extra[b*steps*width:(b+1)*steps*width]...)
	}
	return tensors.FromFlatDataAndDimensions(out, batch, time+steps, width)
}

// cut is x [B, T, d] without its last steps.
func cut(x *tensors.Tensor, keep int) []float32 {
	time, width := x.Shape().Dim(1), x.Shape().Dim(2)
	var out []float32
	for example := range slices.Chunk(flat(x), time*width) {
		out = append(out, example[:keep*width]...)
	}
	return out
}

func TestPaddingChangesNeitherOutputsNorGradients(t *testing.T) {
	each(t, func(t *testing.T, backend compute.Backend, l layer) {
		plain, longer := l.fixture(t, backend, lengths, 0), l.fixture(t, backend, lengths, 50)
		require.InDeltaSlice(t, flat(plain.output), cut(longer.output, 6), 1e-6)
		require.InDeltaSlice(t, flat(plain.last), flat(longer.last), 1e-6)
		require.InDeltaSlice(t, flat(plain.input), cut(longer.input, 6), 1e-6)
		for path, want := range plain.parameters {
			require.InDeltaSlice(t, flat(want), flat(longer.parameters[path]), 2e-6, path)
		}
	})
}

func TestMaskedStepsReturnZeroAndTakeNoGradient(t *testing.T) {
	each(t, func(t *testing.T, backend compute.Backend, l layer) {
		got := l.fixture(t, backend, lengths, 0)
		for _, x := range []*tensors.Tensor{got.output, got.input} {
			width := x.Shape().Dim(2)
			for b, length := range lengths {
				for _, value := range flat(x)[(b*6+int(length))*width : (b+1)*6*width] {
					require.Zero(t, value)
				}
			}
		}
	})
}

func TestLastIsTheStateAfterTheLastValidStep(t *testing.T) {
	each(t, func(t *testing.T, backend compute.Backend, l layer) {
		got := l.fixture(t, backend, lengths, 0)
		output, last := flat(got.output), flat(got.last)
		for b, length := range lengths {
			end := (b*6 + int(length) - 1) * l.width()
			require.Equal(t, output[end:end+l.hidden], last[b*l.width():][:l.hidden], "forward")
			if l.both {
				first := b * 6 * l.width()
				require.Equal(t, output[first+l.hidden:first+2*l.hidden], last[b*l.width()+l.hidden:][:l.hidden], "reverse")
			}
		}
	})
}

func TestReverseStartsAtTheLastValidStep(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, kind := range []recurrent.Kind{recurrent.GRU, recurrent.LSTM} {
			l := layer{kind, true, 4}
			whole := l.fixture(t, backend, lengths, 0)
			x := tensors.FromFlatDataAndDimensions(cut(noise(1, 4, 6, 3), 3), 4, 3, 3)
			alone := l.initial(t, backend)(t, x, tensors.FromValue([]int32{3, 3, 1, 3}), noise(2, 4, 3, 8), noise(3, 4, 8))
			require.InDeltaSlice(t, flat(alone.output)[:3*8], flat(whole.output)[:3*8], 1e-6, "the first example has 3 steps")
		}
	})
}

func TestBatchOrderDoesNotMatter(t *testing.T) {
	each(t, func(t *testing.T, backend compute.Backend, l layer) {
		x, wOutput, wLast := noise(1, 4, 6, 3), noise(2, 4, 6, l.width()), noise(3, 4, l.width())
		order := []int{2, 0, 3, 1}
		want := l.initial(t, backend)(t, x, tensors.FromValue(lengths), wOutput, wLast)
		shuffled := []int32{lengths[2], lengths[0], lengths[3], lengths[1]}
		got := l.initial(t, backend)(t, permuted(x, order), tensors.FromValue(shuffled), permuted(wOutput, order), permuted(wLast, order))
		require.InDeltaSlice(t, flat(permuted(want.output, order)), flat(got.output), 1e-6)
		require.InDeltaSlice(t, flat(permuted(want.last, order)), flat(got.last), 1e-6)
		require.InDeltaSlice(t, flat(permuted(want.input, order)), flat(got.input), 1e-6)
		for path, value := range want.parameters {
			require.InDeltaSlice(t, flat(value), flat(got.parameters[path]), 2e-6, path)
		}
	})
}

// permuted reorders the examples of x.
func permuted(x *tensors.Tensor, order []int) *tensors.Tensor {
	size := x.Size() / len(order)
	var out []float32
	for _, b := range order {
		out = append(out, flat(x)[b*size:(b+1)*size]...)
	}
	return tensors.FromFlatDataAndDimensions(out, x.Shape().Dimensions...)
}

func TestWithoutLengthsEveryStepIsValid(t *testing.T) {
	each(t, func(t *testing.T, backend compute.Backend, l layer) {
		want := l.fixture(t, backend, []int32{6, 6, 6, 6}, 0)
		exec, err := model.NewExec(backend, model.NewStore(), func(scope *model.Scope, x *Node) []*Node {
			sequence, last := l.build(scope, x, nil)
			return []*Node{sequence, last}
		})
		require.NoError(t, err)
		sequence, last, err := exec.Call2(noise(1, 4, 6, 3))
		require.NoError(t, err)
		require.Equal(t, flat(want.output), flat(sequence))
		require.Equal(t, flat(want.last), flat(last))
	})
}

func TestOneStepIsOneCell(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		l := layer{recurrent.GRU, true, 2}
		got := l.run(t, backend, model.NewStore(), noise(1, 3, 1, 5), tensors.FromValue([]int32{1, 1, 1}), noise(2, 3, 1, 4), noise(3, 3, 4))
		require.Equal(t, flat(got.output), flat(got.last))
		require.NotZero(t, flat(got.input)[0])
	})
}

func TestNoValidStepLeavesTheZeroState(t *testing.T) {
	each(t, func(t *testing.T, backend compute.Backend, l layer) {
		got := l.fixture(t, backend, make([]int32, 4), 0)
		for _, values := range append(slices.Collect(maps.Values(got.parameters)), got.output, got.last, got.input) {
			require.NotContains(t, flat(values), float32(math.NaN()))
			require.Equal(t, make([]float32, values.Size()), flat(values))
		}
	})
}

func TestOneSeedGivesTheSameBits(t *testing.T) {
	each(t, func(t *testing.T, backend compute.Backend, l layer) {
		again := l.run(t, backend, model.NewStore(), noise(1, 4, 6, 3), tensors.FromValue(lengths), noise(2, 4, 6, 8), noise(3, 4, 8))
		require.Equal(t, bits(l.fixture(t, backend, lengths, 0)), bits(again))
	})
}

// bits gathers all values of a result.
func bits(r result) (out []uint32) {
	values := []*tensors.Tensor{r.output, r.last, r.input}
	for _, path := range slices.Sorted(maps.Keys(r.parameters)) {
		values = append(values, r.parameters[path])
	}
	for _, tensor := range values {
		for _, value := range flat(tensor) {
			out = append(out, math.Float32bits(value))
		}
	}
	return out
}

func TestBackendsAgree(t *testing.T) {
	var results []result
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		results = append(results, layer{recurrent.LSTM, true, 4}.fixture(t, backend, lengths, 0))
	})
	if len(results) < 2 {
		t.Skip("one backend only")
	}
	require.InDeltaSlice(t, flat(results[0].output), flat(results[1].output), 1e-5)
	require.InDeltaSlice(t, flat(results[0].input), flat(results[1].input), 1e-5)
}

func TestInputsOfTheWrongShapeAreRefused(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, x := range []*tensors.Tensor{noise(1, 4, 6), noise(1, 3, 6, 3)} {
			_, err := model.CallOnce(backend, model.NewStore(), func(scope *model.Scope, in []*Node) *Node {
				_, last := layer{recurrent.GRU, false, 2}.build(scope, in[0], in[1])
				return last
			}, x, tensors.FromValue(lengths))
			require.Error(t, err)
		}
	})
}
