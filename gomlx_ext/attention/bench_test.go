package attention_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/peer"
)

// The sizes of the paper: batch, width and heads; queries and keys of its transformers.
const benchBatch, benchWidth, benchHeads = 16, 128, 8

var benchSizes = [][2]int{{50, 50}, {50, 375}, {50, 500}, {375, 375}, {500, 500}}

// BenchmarkLayer times forward and backward of a whole layer in training, dropout 0.1, on $MMILN_BACKEND (auto).
func BenchmarkLayer(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			pass := newPass(b, ours(benchHeads, 0.1), size[0], size[1])
			for b.Loop() {
				pass()
			}
		})
	}
}

// BenchmarkAgainstTorch alternates passes with torch's, each of its two forms, and reports the lower quartiles of ours, of the
// textbook form differentiated by GoMLX, and of the faster of torch's. $MMILN_PYTHON names a Python that has torch.
func BenchmarkAgainstTorch(b *testing.B) {
	torch := peer.Start(b, "testdata/torch_speed.py")
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			passes := map[string]func(){
				"ours":     newPass(b, ours(benchHeads, 0.1), size[0], size[1]),
				"textbook": newPass(b, textbook(benchHeads, 0.1), size[0], size[1]),
			}
			times := map[string][]time.Duration{}
			for b.Loop() {
				for _, kind := range []string{"written", "fused"} {
					times[kind] = append(times[kind], torch.Time(kind, benchBatch, size[0], size[1], benchWidth, benchHeads))
				}
				for name, pass := range passes {
					start := time.Now()
					pass()
					times[name] = append(times[name], time.Since(start))
				}
			}
			theirs := min(peer.Quartile(times["written"]), peer.Quartile(times["fused"]))
			b.ReportMetric(theirs*1e3, "torch-ms")
			for name := range passes {
				b.ReportMetric(peer.Quartile(times[name])*1e3, name+"-ms")
				b.ReportMetric(theirs/peer.Quartile(times[name]), "torch/"+name)
			}
		})
	}
}

// newPass compiles a layer with the gradients of everything it reads, and returns one pass over a batch.
func newPass(b *testing.B, l layer, queries, keys int) func() {
	backend, _, err := device.Open(os.Getenv("MMILN_BACKEND"))
	require.NoError(b, err)
	store := model.NewStore()
	inputs := []any{normal(benchBatch, queries, benchWidth), slices.Repeat([]int32{int32(keys)}, benchBatch)}
	if queries != keys {
		inputs = append(inputs, normal(benchBatch, keys, benchWidth))
	}
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, in []*Node) []*Node {
		train(scope, in[0].Graph())
		key, wrt := in[len(in)-1], []*Node{in[0]}
		if queries == keys {
			key = in[0]
		} else {
			wrt = append(wrt, key)
		}
		output := l(scope.In("attention"), []*Node{in[0], key, in[1]})
		for v := range store.IterVariables() {
			wrt = append(wrt, v.NodeValue(key))
		}
		return Gradient(ReduceAllSum(Sin(output)), wrt...)
	})
	require.NoError(b, err)
	pass := func() {
		results, err := exec.Exec(inputs...)
		require.NoError(b, err)
		for _, result := range results {
			result.MustFinalizeAll()
		}
	}
	pass()
	pass()
	return pass
}
