package attention_test

import (
	"math"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/attention"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/linear"
)

// layer computes attention of in: query, key, lengths.
type layer func(scope *model.Scope, in []*Node) *Node

func ours(heads int, rate float64) layer {
	return func(scope *model.Scope, in []*Node) *Node {
		return attention.New(scope, in[0], in[1], in[2], heads).Dropout(rate).Done()
	}
}

// textbook is the same layer as it is usually written, for GoMLX to differentiate.
func textbook(heads int, rate float64) layer {
	return func(scope *model.Scope, in []*Node) *Node {
		query, width := in[0], in[0].Shape().Dim(2)
		split := func(name string, x *Node) *Node {
			x = linear.Dense(scope.In("%s", name), x, width)
			return TransposeAllAxes(Reshape(x, x.Shape().Dim(0), x.Shape().Dim(1), heads, -1), 0, 2, 1, 3)
		}
		q, k, v := split("q", query), split("k", in[1]), split("v", in[1])
		scores := MulScalar(Einsum("bhqd,bhkd->bhqk", q, k), 1/math.Sqrt(float64(width/heads)))
		p := dropout.Apply(scope, softmax(scores, in[2]), rate)
		mixed := TransposeAllAxes(Einsum("bhqk,bhkd->bhqd", p, v), 0, 2, 1, 3)
		out := linear.Dense(scope.In("o"), Reshape(mixed, query.Shape().Dimensions...), width)
		return dropout.Apply(scope, out, rate)
	}
}

// softmax over the last axis of scores [B, H, Q, K], as far as lengths [B] say; zeros where that is nowhere.
func softmax(scores, lengths *Node) *Node {
	steps := Iota(scores.Graph(), shapes.Make(dtypes.Int32, 1, 1, 1, scores.Shape().Dim(3)), 3)
	valid := ConvertDType(LessThan(steps, Reshape(lengths, -1, 1, 1, 1)), dtypes.Float32)
	raised := Mul(Exp(Sub(scores, StopGradient(ReduceAndKeep(scores, ReduceMax, -1)))), valid)
	return Div(raised, MaxScalar(ReduceAndKeep(raised, ReduceSum, -1), 1e-6))
}

// gradients is, in training, the output and the gradients of Σ sin(output) with respect to query, key and every variable.
func (l layer) gradients(scope *model.Scope, in []*Node) []*Node {
	g := in[0].Graph()
	train(scope, g)
	output := l(scope.In("attention"), in)
	wrt := in[:2:2]
	for _, name := range []string{"q", "k", "v", "o"} {
		for _, variable := range []string{"weights", "bias"} {
			wrt = append(wrt, scope.Store().GetVariable("/attention/"+name+"/"+variable).NodeValue(g))
		}
	}
	loss := ReduceAllSum(Sin(output))
	return append([]*Node{output, loss}, Gradient(loss, wrt...)...)
}

func TestGradientsAreThoseOfTheTextbookForm(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for name, c := range map[string]struct {
			queries, keys int
			lengths       []int32
		}{
			"short":          {5, 7, []int32{7, 4, 1}},
			"without a key":  {5, 7, []int32{0, 7}},
			"one step":       {1, 1, []int32{1, 1}},
			"several blocks": {300, 401, []int32{401, 17, 0}},
		} {
			batch, store := len(c.lengths), model.NewStore()
			query, key := normal(batch, c.queries, 8), normal(batch, c.keys, 8)
			got := run(t, backend, store, ours(2, 0.3).gradients, query, key, c.lengths)
			want := run(t, backend, store, textbook(2, 0.3).gradients, query, key, c.lengths)
			for i := range want {
				closeTo(t, want[i], got[i], 1e-5*max(1, float64(maxAbs(flat(want[i])))), name)
			}
		}
	})
}

func TestGradientsAreFiniteDifferences(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, inputs, lengths := model.NewStore(), []*tensors.Tensor{normal(2, 3, 4), normal(2, 5, 4)}, []int32{5, 2}
		exec, err := model.NewExec(backend, store, ours(2, 0.3).gradients)
		require.NoError(t, err)
		results := exec.MustCall(inputs[0], inputs[1], lengths)
		for which, input := range inputs {
			for i, gradient := range flat(results[2+which]) {
				loss := func(step float32) float64 {
					moved := flat(input)
					moved[i] += step
					args := []any{inputs[0], inputs[1], lengths}
					args[which] = tensors.FromFlatDataAndDimensions(moved, input.Shape().Dimensions...)
					return float64(flat(exec.MustCall(args...)[1])[0])
				}
				assert.InDelta(t, (loss(0.01)-loss(-0.01))/0.02, gradient, 2e-3, "input %d, element %d", which, i)
			}
		}
	})
}

func TestBackendsAgreeInTraining(t *testing.T) {
	var all [][]*tensors.Tensor
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		all = append(all, run(t, backend, model.NewStore(), ours(2, 0.3).gradients, normal(2, 6, 8), normal(2, 9, 8), []int32{9, 3}))
	})
	for _, other := range all {
		for i := range other {
			closeTo(t, all[0][i], other[i], 1e-5, "")
		}
	}
}
