package textenc_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

// golden is testdata/tiny.safetensors.
type golden struct {
	t    *testing.T
	file *safetensors.File
}

func openGolden(t *testing.T) golden {
	file, err := safetensors.ReadFile("testdata/tiny.safetensors")
	require.NoError(t, err)
	return golden{t, file}
}

func (g golden) floats(name string) *tensors.Tensor {
	values, shape, err := g.file.Float32(name)
	require.NoError(g.t, err)
	return tensors.FromFlatDataAndDimensions(values, shape...)
}

func (g golden) ints(name string) *tensors.Tensor {
	values, shape, err := g.file.Int64(name)
	require.NoError(g.t, err)
	narrow := make([]int32, len(values))
	for i, value := range values {
		narrow[i] = int32(value)
	}
	return tensors.FromFlatDataAndDimensions(narrow, shape...)
}

// inputs are ids, lengths, types, and the cotangents of hidden states and the pooler's output.
func (g golden) inputs() []any {
	return []any{g.ints("ids"), g.ints("lengths"), g.ints("types"), g.floats("cotangent.hidden"), g.floats("cotangent.pooled")}
}

func (g golden) equals(name string, got *tensors.Tensor) {
	want := g.floats(name)
	require.Equal(g.t, want.Shape().Dimensions, got.Shape().Dimensions, name)
	require.InDeltaSlice(g.t, flat(want), flat(got), 1e-5*max(1, largest(flat(want))), name)
}

func largest(values []float32) float64 {
	return float64(max(slices.Max(values), -slices.Min(values)))
}

// loaded is a store with tiny's weights in /bert.
func loaded(t testing.TB) *model.Store {
	store := model.NewStore()
	require.NoError(t, tiny(t).Load(store.Scope("/bert")))
	return store
}

// untilEnd is x [B, T, d], zero beyond the lengths.
func untilEnd(x, lengths *Node) *Node {
	steps := Iota(x.Graph(), shapes.Make(dtypes.Int32, 1, x.Shape().Dim(1), 1), 1)
	return Where(BroadcastToDims(LessThan(steps, InsertAxes(lengths, -1, -1)), x.Shape().Dimensions...), x, ZerosLike(x))
}

func TestStatesOfEveryActivationAreThoseOfTransformers(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		g := openGolden(t)
		for _, activation := range []string{"gelu", "gelu_new", "relu"} {
			config := tiny(t).Config()
			config.Activation = activation
			got := run(t, backend, loaded(t), func(scope *model.Scope, in []*Node) []*Node {
				hidden, pooled := config.Graph(scope.In("bert"), in[0], in[1], textenc.TokenTypes(in[2]))
				return []*Node{untilEnd(hidden, in[1]), pooled}
			}, g.inputs()[:3]...)
			g.equals(activation+".hidden", got[0])
			g.equals(activation+".pooled", got[1])
		}
	})
}

// gradients is a graph of the gradients that the golden file holds, in the order of the variables' paths.
func gradients(config textenc.Config, options ...textenc.Option) graphFn {
	return func(scope *model.Scope, in []*Node) []*Node {
		hidden, pooled := config.Graph(scope.In("bert"), in[0], in[1], append(options, textenc.TokenTypes(in[2]))...)
		loss := Add(ReduceAllSum(Mul(in[3], hidden)), ReduceAllSum(Mul(in[4], pooled)))
		return Gradient(loss, variables(scope, in[0].Graph())...)
	}
}

func variables(scope *model.Scope, g *Graph) []*Node {
	all := map[string]*Node{}
	for v := range scope.IterVariables() {
		all[v.Path()] = v.NodeValue(g)
	}
	var out []*Node
	for _, path := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[path])
	}
	return out
}

// matchesGradients compares what gradients computes, by the names of the checkpoint.
func (g golden) matchesGradients(store *model.Store, got []*tensors.Tensor) {
	var paths []string
	for v := range store.IterVariables() {
		paths = append(paths, v.Path())
	}
	slices.Sort(paths)
	require.Len(g.t, got, len(paths))
	for i, path := range paths {
		name := strings.ReplaceAll(strings.TrimPrefix(path, "/bert/"), "/", ".")
		if got[i].Rank() == 2 && !strings.Contains(name, "embeddings") {
			got[i] = transposed(got[i])
		}
		g.equals("grad."+name, got[i])
	}
}

func transposed(t *tensors.Tensor) *tensors.Tensor {
	rows, columns, from := t.Shape().Dim(0), t.Shape().Dim(1), flat(t)
	to := make([]float32, len(from))
	for i := range from {
		to[i%columns*rows+i/columns] = from[i]
	}
	return tensors.FromFlatDataAndDimensions(to, columns, rows)
}

func TestGradientsOfEveryWeightAreThoseOfTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		g, store := openGolden(t), loaded(t)
		g.matchesGradients(store, run(t, backend, store, gradients(tiny(t).Config()), g.inputs()...))
	})
}

func TestGradientsOfLayersThatAreComputedAgainAreThoseOfTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		g, store := openGolden(t), loaded(t)
		g.matchesGradients(store, run(t, backend, store, gradients(tiny(t).Config(), textenc.Recompute()), g.inputs()...))
	})
}

// Eight bits of mantissa leave two to three digits, of a weight's gradient or of the least that matters: biases of keys have none.
func TestHalfPrecisionStaysNearTorch(t *testing.T) {
	largest := func(values []float32) (largest float64) {
		for _, v := range values {
			largest = max(largest, math.Abs(float64(v)))
		}
		return largest
	}
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		g, store := openGolden(t), loaded(t)
		full := run(t, backend, store, gradients(tiny(t).Config()), g.inputs()...)
		half := run(t, backend, store, gradients(tiny(t).Config(), textenc.Half()), g.inputs()...)
		require.NotEqual(t, flat(full[0]), flat(half[0]))
		for i := range full {
			require.InDeltaSlice(t, flat(full[i]), flat(half[i]), max(0.05*largest(flat(full[i])), 1e-3))
		}
	})
}
