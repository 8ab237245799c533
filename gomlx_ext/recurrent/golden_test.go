package recurrent_test

import (
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
)

// onBackends runs a test in pure Go and on XLA where there is a plugin.
func onBackends(t *testing.T, test func(t *testing.T, backend compute.Backend)) {
	for _, name := range []string{"go", "xla:cpu"} {
		t.Run(name, func(t *testing.T) {
			backend, _, err := device.Open(name)
			if err != nil {
				t.Skip(err)
			}
			test(t, backend)
		})
	}
}

type golden struct {
	file string
	kind recurrent.Kind
	both bool
}

var goldens = []golden{
	{"gru", recurrent.GRU, false}, {"bigru", recurrent.GRU, true},
	{"lstm", recurrent.LSTM, false}, {"bilstm", recurrent.LSTM, true},
}

func TestLayersMatchTorch(t *testing.T) {
	onBackends(t, func(t *testing.T, backend compute.Backend) {
		for _, golden := range goldens {
			t.Run(golden.file, func(t *testing.T) { golden.matches(t, backend) })
		}
	})
}

// matches compares outputs and every gradient with what torch computed.
func (c golden) matches(t *testing.T, backend compute.Backend) {
	want := read(t, c.file)
	store := model.NewStore()
	require.NoError(t, recurrent.LoadTorch(store.Scope("rnn"), want))
	got := c.run(t, backend, store, want)
	for name, value := range got {
		require.Equal(t, want[name].Shape().Dimensions, value.Shape().Dimensions, name)
		require.InDeltaSlice(t, flat(want[name]), flat(value), 2e-5, name)
	}
}

// run gives output, last and, under torch's names, the gradients of Σ cotangent.output ⊙ output + Σ cotangent.last ⊙ last.
func (c golden) run(t *testing.T, backend compute.Backend, store *model.Store, in map[string]*tensors.Tensor) map[string]*tensors.Tensor {
	names := []string{"output", "last", "grad.input"}
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, nodes []*Node) []*Node {
		layer := recurrent.New(c.kind, scope.In("rnn"), nodes[0], hidden).Lengths(nodes[1])
		if c.both {
			layer.Bidirectional()
		}
		output, last := layer.Done()
		loss := Add(ReduceAllSum(Mul(output, nodes[2])), ReduceAllSum(Mul(last, nodes[3])))
		wrt := []*Node{nodes[0]}
		for name, path := range torchPaths(c.both) {
			wrt = append(wrt, store.GetVariable(path).NodeValue(nodes[0].Graph()))
			names = append(names, "grad."+name)
		}
		grads := Gradient(loss, wrt...)
		for i, grad := range grads[1:] {
			if grad.Rank() == 2 {
				grads[i+1] = TransposeAllAxes(grad, 1, 0)
			}
		}
		return append([]*Node{output, last}, grads...)
	})
	require.NoError(t, err)
	results, err := exec.Exec(in["input"], in["lengths"], in["cotangent.output"], in["cotangent.last"])
	require.NoError(t, err)
	out := map[string]*tensors.Tensor{}
	for i, name := range names {
		out[name] = results[i]
	}
	return out
}
