package recurrent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
)

func BenchmarkStep(b *testing.B) {
	for _, T := range []int{50, 375} {
		b.Run(fmt.Sprintf("BiGRU-%d", T), func(b *testing.B) { benchmark(b, T, recurrent.GRU) })
		b.Run(fmt.Sprintf("BiLSTM-%d", T), func(b *testing.B) { benchmark(b, T, recurrent.LSTM) })
	}
}

func benchmark(b *testing.B, T int, kind recurrent.Kind) {
	backend, _, err := device.Open("auto")
	require.NoError(b, err)
	store := model.NewStore()
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, x *Node) []*Node {
		seq, last := recurrent.New(kind, scope.In("rnn"), x, 64).Bidirectional().Done()
		loss := Add(ReduceAllSum(Square(seq)), ReduceAllSum(Square(last)))
		grads := []*Node{loss}
		return append(grads, Gradient(loss, append(vars(scope, x.Graph()), x)...)...)
	})
	require.NoError(b, err)
	x := tensors.FromShape(shapes.Make(dtypes.Float32, 16, T, 128))
	start := time.Now()
	_, err = exec.Exec(x)
	require.NoError(b, err)
	b.Logf("first %v", time.Since(start))
	for b.Loop() {
		_, err = exec.Exec(x)
	}
	require.NoError(b, err)
}

func vars(scope *model.Scope, g *Graph) (out []*Node) {
	for v := range scope.IterVariables() {
		out = append(out, v.NodeValue(g))
	}
	return
}
