package attention_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/attention"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// golden is a file of testdata/make_golden.py.
type golden struct {
	t    *testing.T
	file *safetensors.File
}

func open(t *testing.T, name string) golden {
	file, err := safetensors.ReadFile(filepath.Join("testdata", name+".safetensors"))
	require.NoError(t, err)
	return golden{t, file}
}

func (g golden) tensor(name string) *tensors.Tensor {
	values, shape, err := g.file.Float32(name)
	require.NoError(g.t, err)
	return tensors.FromFlatDataAndDimensions(values, shape...)
}

func (g golden) lengths() *tensors.Tensor {
	values, shape, err := g.file.Int64("lengths")
	require.NoError(g.t, err)
	return tensors.FromFlatDataAndDimensions(values, shape...)
}

// store holds the file's parameters; weights are [in, out], torch's are [out, in].
func (g golden) store() *model.Store {
	store := model.NewStore()
	for _, name := range []string{"q", "k", "v", "o"} {
		scope := store.Scope("/attention/" + name)
		scope.VariableWithValue("weights", transposed(g.tensor(name+".weight")))
		scope.VariableWithValue("bias", g.tensor(name+".bias"))
	}
	return store
}

func transposed(t *tensors.Tensor) *tensors.Tensor {
	rows, columns, from := t.Shape().Dim(0), t.Shape().Dim(1), flat(t)
	to := make([]float32, len(from))
	for i := range from {
		to[i%columns*rows+i/columns] = from[i]
	}
	return tensors.FromFlatDataAndDimensions(to, columns, rows)
}

func TestOutputProbabilitiesAndGradientsAreTorchs(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for name, heads := range map[string]int{"self": 3, "cross": 2, "single": 1} {
			t.Run(name, func(t *testing.T) { open(t, name).matches(backend, heads) })
		}
	})
}

func (g golden) matches(backend compute.Backend, heads int) {
	args := []any{g.tensor("cotangent"), g.lengths(), g.tensor("key")}
	names := []string{"output", "probabilities", "grad.key"}
	if _, cross := g.file.Tensors["query"]; cross {
		args, names = append(args, g.tensor("query")), append(names, "grad.query")
	}
	for _, layer := range []string{"q", "k", "v", "o"} {
		names = append(names, fmt.Sprintf("grad.%s.weight", layer), fmt.Sprintf("grad.%s.bias", layer))
	}
	got := run(g.t, backend, g.store(), func(scope *model.Scope, in []*Node) []*Node { return differentiate(scope, in, heads) }, args...)
	require.Len(g.t, got, len(names))
	for i, name := range names {
		value := got[i]
		if value.Rank() == 2 {
			value = transposed(value)
		}
		closeTo(g.t, g.tensor(name), value, 2e-5, name)
	}
}

// differentiate is output, probabilities and the gradients of Σ cotangent ⊙ output; in is cotangent, lengths, key and, for
// cross attention, query.
func differentiate(scope *model.Scope, in []*Node, heads int) []*Node {
	g, wrt := in[0].Graph(), in[2:]
	var probabilities *Node
	layer := attention.New(scope.In("attention"), in[len(in)-1], in[2], in[1], heads)
	output := layer.Taps(func(_ string, p *Node) { probabilities = p }).Done()
	for _, name := range []string{"q", "k", "v", "o"} {
		for _, variable := range []string{"weights", "bias"} {
			wrt = append(wrt, scope.Store().GetVariable("/attention/"+name+"/"+variable).NodeValue(g))
		}
	}
	return append([]*Node{output, probabilities}, Gradient(ReduceAllSum(Mul(in[0], output)), wrt...)...)
}
