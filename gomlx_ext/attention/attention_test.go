package attention_test

import (
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/attention"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
)

// outputAndGradients is a layer's output and the gradients of Σ output² with respect to query and key.
func outputAndGradients(scope *model.Scope, in []*Node) []*Node {
	output := attention.New(scope.In("attention"), in[0], in[1], in[2], 2).Dropout(0.3).Done()
	return append([]*Node{output}, Gradient(ReduceAllSum(Square(output)), in[0], in[1])...)
}

func TestPaddedKeysChangeNothing(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, query, key := model.NewStore(), normal(2, 5, 8), normal(2, 9, 8)
		lengths := []int32{6, 3}
		before := run(t, backend, store, outputAndGradients, query, key, lengths)
		noise := flat(key)
		for b, length := range lengths {
			for i := (b*9 + int(length)) * 8; i < (b+1)*9*8; i++ {
				noise[i] = 1e4 * float32(i%7)
			}
		}
		after := run(t, backend, store, outputAndGradients, query, tensors.FromFlatDataAndDimensions(noise, 2, 9, 8), lengths)
		for i, name := range []string{"output", "gradient of query", "gradient of key"} {
			closeTo(t, before[i], after[i], 1e-6, name)
		}
	})
}

func TestShorterPaddingGivesTheSameOutput(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, query, key := model.NewStore(), normal(2, 5, 8), normal(2, 9, 8)
		lengths := []int32{6, 3}
		long := run(t, backend, store, outputAndGradients, query, key, lengths)
		short := run(t, backend, store, func(scope *model.Scope, in []*Node) []*Node {
			in[1] = Slice(in[1], AxisRange(), AxisRange(0, 6))
			return outputAndGradients(scope, in)
		}, query, key, lengths)
		closeTo(t, long[0], short[0], 1e-6, "output")
		closeTo(t, long[1], short[1], 1e-6, "gradient of query")
	})
}

func TestAnExampleWithoutAKeyGivesTheOutputBias(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store := model.NewStore()
		got := run(t, backend, store, outputAndGradients, normal(2, 3, 8), normal(2, 4, 8), []int32{0, 4})
		bias := flat(store.GetVariable("/attention/o/bias").MustValue())
		for q := range 3 {
			assert.InDeltaSlice(t, bias, flat(got[0])[q*8:(q+1)*8], 1e-6)
		}
		for i, name := range []string{"query", "key"} {
			assert.Zero(t, maxAbs(flat(got[1+i])[:got[1+i].Size()/2]), name)
			assert.Positive(t, maxAbs(flat(got[1+i])[got[1+i].Size()/2:]), name)
		}
	})
}

func maxAbs(values []float32) (largest float32) {
	for _, value := range values {
		largest = max(largest, value, -value)
	}
	return largest
}

func TestWithoutLengthsEveryKeyIsValid(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, query, key := model.NewStore(), normal(2, 3, 8), normal(2, 4, 8)
		given := run(t, backend, store, outputAndGradients, query, key, []int32{4, 4})
		open := run(t, backend, store, func(scope *model.Scope, in []*Node) []*Node {
			return outputAndGradients(scope, append(in, nil))
		}, query, key)
		for i := range given {
			closeTo(t, given[i], open[i], 1e-6, "")
		}
	})
}

func TestLargeScoresDoNotOverflow(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		x := flat(normal(1, 6, 8))
		for i := range x {
			x[i] *= 300
		}
		large := tensors.FromFlatDataAndDimensions(x, 1, 6, 8)
		for _, output := range run(t, backend, model.NewStore(), outputAndGradients, large, large, []int32{5}) {
			for _, value := range flat(output) {
				require.Equal(t, float32(0), value-value) // ∞ − ∞ and NaN differ from 0
			}
		}
	})
}

func TestTapDoesNotChangeTheOutput(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, query, key := model.NewStore(), normal(2, 3, 8), normal(2, 4, 8)
		plain := run(t, backend, store, outputAndGradients, query, key, []int32{4, 2})
		tapped := run(t, backend, store, func(scope *model.Scope, in []*Node) (out []*Node) {
			layer := attention.New(scope.In("attention"), in[0], in[1], in[2], 2)
			output := layer.Taps(func(_ string, p *Node) { out = append(out, p) }).Done()
			return append(out, output)
		}, query, key, []int32{4, 2})
		require.Equal(t, []int{2, 2, 3, 4}, tapped[0].Shape().Dimensions)
		closeTo(t, plain[0], tapped[1], 1e-6, "output")
	})
}

func TestTapIsNotCalledInTraining(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		run(t, backend, model.NewStore(), func(scope *model.Scope, in []*Node) []*Node {
			train(scope, in[0].Graph())
			layer := attention.New(scope.In("attention"), in[0], in[0], nil, 2)
			return []*Node{layer.Taps(func(string, *Node) { t.Error("called") }).Done()}
		}, normal(2, 3, 8))
	})
}

func TestWrongShapesAreRefused(t *testing.T) {
	backend := pureGo(t)
	for message, layer := range map[string]func(scope *model.Scope, x *Node) *attention.Config{
		"3 heads do not divide 8 features": func(s *model.Scope, x *Node) *attention.Config { return attention.New(s, x, x, nil, 3) },
		"must be [batch, time, features]":  func(s *model.Scope, x *Node) *attention.Config { return attention.New(s, Reshape(x, -1, 8), x, nil, 2) },
	} {
		_, err := model.CallOnce(backend, model.NewStore(), func(scope *model.Scope, x *Node) *Node { return layer(scope, x).Done() }, normal(2, 3, 8))
		require.ErrorContains(t, err, message)
	}
}
