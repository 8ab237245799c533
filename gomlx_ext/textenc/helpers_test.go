package textenc_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

// run executes a graph with the variables of store.
func run(t testing.TB, backend compute.Backend, store *model.Store, fn func(scope *model.Scope, in []*Node) []*Node, args ...any) []*tensors.Tensor {
	t.Helper()
	outputs, err := model.CallOnceN(backend, store, fn, args...)
	require.NoError(t, err)
	return outputs
}

func flat(t *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](t) }

// padded lays texts side by side: ids [B, T] with zeros behind the end, and lengths [B].
func padded(ids [][]int32, steps int) (*tensors.Tensor, []int32) {
	out, lengths := make([]int32, len(ids)*steps), make([]int32, len(ids))
	for i, text := range ids {
		lengths[i] = int32(copy(out[i*steps:(i+1)*steps], text))
	}
	return tensors.FromFlatDataAndDimensions(out, len(ids), steps), lengths
}

type graphFn func(scope *model.Scope, in []*Node) []*Node

// at builds the graph in a scope below.
func (fn graphFn) at(name string) graphFn {
	return func(scope *model.Scope, in []*Node) []*Node { return fn(scope.In("%s", name), in) }
}

// forward is a graph of hidden states and the pooler's output.
func forward(config textenc.Config) graphFn {
	return func(scope *model.Scope, in []*Node) []*Node {
		hidden, pooled := config.Graph(scope, in[0], in[1])
		return []*Node{hidden, pooled}
	}
}

// tiny is the BERT of testdata/make_golden.py.
func tiny(t testing.TB) *textenc.Encoder {
	encoder, err := textenc.Open("testdata/tiny")
	require.NoError(t, err)
	return encoder
}

// copyTiny is a copy of its folder.
func copyTiny(t testing.TB) string {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/tiny")))
	return dir
}

func write(t testing.TB, dir, name, content string) {
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
}
