package textenc_test

import (
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/adam"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/hugepages"
	"github.com/mmiln/workbench/gomlx_ext/internal/peer"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

const benchBatch = 16

// benchModels are BERTs by size, with random weights.
func benchModels() map[string]textenc.Config {
	small := textenc.Base()
	small.Layers, small.Width, small.Hidden = 6, 384, 1536
	return map[string]textenc.Config{"minilm": small, "base": textenc.Base()}
}

func openBench(b *testing.B) compute.Backend {
	backend, _, err := device.Open(os.Getenv("MMILN_BACKEND"))
	require.NoError(b, err)
	return backend
}

// BenchmarkStep times a step of fine-tuning, Adam on all weights with dropout, on $MMILN_BACKEND (auto).
func BenchmarkStep(b *testing.B) {
	for name, config := range benchModels() {
		for _, steps := range []int{16, 50} {
			b.Run(fmt.Sprintf("%s/%d", name, steps), func(b *testing.B) {
				step := newStep(b, config, steps)
				debug.FreeOSMemory() // host copies of the first values
				hugepages.Trim()
				forgetPeak(b)
				for b.Loop() {
					step()
				}
				b.ReportMetric(float64(peak(b)), "peak-MB")
			})
		}
	}
}

// BenchmarkAgainstTorch alternates steps with those of transformers in PyTorch and reports the lower quartiles, and the most
// memory that either had. $MMILN_PYTHON names a Python that has both.
func BenchmarkAgainstTorch(b *testing.B) {
	torch := peer.Start(b, "testdata/torch_speed.py")
	for name, config := range benchModels() {
		for _, steps := range []int{16, 50} {
			b.Run(fmt.Sprintf("%s/%d", name, steps), func(b *testing.B) {
				step := newStep(b, config, steps)
				var ours, theirs []time.Duration
				var mine, other int
				debug.FreeOSMemory() // host copies of the first values
				hugepages.Trim()
				for b.Loop() {
					answer := torch.Ask(name, benchBatch, steps)
					megabytes, err := strconv.Atoi(answer[1])
					require.NoError(b, err)
					theirs, other = append(theirs, peer.Seconds(b, answer[0])), max(other, megabytes)
					forgetPeak(b)
					start := time.Now()
					step()
					ours = append(ours, time.Since(start))
					mine = max(mine, peak(b))
				}
				b.ReportMetric(float64(mine), "ours-MB")
				b.ReportMetric(float64(other), "torch-MB")
				b.ReportMetric(peer.Quartile(ours)*1e3, "ours-ms")
				b.ReportMetric(peer.Quartile(theirs)*1e3, "torch-ms")
				b.ReportMetric(peer.Quartile(theirs)/peer.Quartile(ours), "torch/ours")
			})
		}
	}
}

// BenchmarkSentence times the encoding of one short text, with its word pieces, by the model of MMILN_MINILM.
func BenchmarkSentence(b *testing.B) {
	encoder, store := minilm(b), model.NewStore()
	require.NoError(b, encoder.Load(store.RootScope()))
	exec, err := model.NewExec(openBench(b), store, func(scope *model.Scope, in []*Node) []*Node { return forward(encoder.Config())(scope, in) })
	require.NoError(b, err)
	sentence := func() {
		tokens, err := encoder.Tokenize([]string{"the movie was not as bad as everybody had told me before"}, 50)
		require.NoError(b, err)
		ids, lengths := padded(tokens.IDs, 16)
		for _, result := range exec.MustCall(ids, lengths) {
			result.MustFinalizeAll()
		}
	}
	sentence() // compiles
	for b.Loop() {
		sentence()
	}
}

// BenchmarkTokenize times a thousand words.
func BenchmarkTokenize(b *testing.B) {
	encoder := tiny(b)
	texts := slices.Repeat([]string{"the film was not good , it was really awful !"}, 100)
	for b.Loop() {
		_, err := encoder.Tokenize(texts, 0)
		require.NoError(b, err)
	}
}

// forgetPeak lets the kernel measure the most memory that this process has from now on.
func forgetPeak(b *testing.B) {
	require.NoError(b, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0))
}

// peak is the most memory since forgetPeak, in megabytes.
func peak(b *testing.B) int {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(b, err)
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int
	_, err = fmt.Sscan(after, &kilobytes)
	require.NoError(b, err)
	return kilobytes / 1024
}

// newStep compiles a step of fine-tuning on random word pieces and returns one pass of it.
func newStep(b *testing.B, config textenc.Config, steps int, options ...textenc.Option) func() {
	store := model.NewStore()
	optimiser, err := adam.New(adam.Group{Rate: 1e-5, Decay: 0.01})
	require.NoError(b, err)
	exec, err := model.NewExec(openBench(b), store, func(scope *model.Scope, in []*Node) *Node {
		g := in[0].Graph()
		scope.Store().SetTraining(g, true)
		dropout.SetSeed(g, in[2])
		_, pooled := config.Graph(scope.In("bert"), in[0], in[1], options...)
		loss := ReduceAllMean(Square(pooled))
		optimiser.Step(scope, loss, in[3], in[4])
		return loss
	})
	require.NoError(b, err)
	ids, lengths := make([]int32, benchBatch*steps), slices.Repeat([]int32{int32(steps)}, benchBatch)
	for i := range ids {
		ids[i] = int32(1000 + i*7919%20000)
	}
	count := 0
	pass := func() {
		count++
		first, second := adam.Correction(count)
		exec.MustCall(tensors.FromFlatDataAndDimensions(ids, benchBatch, steps), lengths, uint32(count), first, second)[0].MustFinalizeAll()
	}
	start := time.Now()
	pass()
	b.Logf("compiled in %s", time.Since(start).Round(time.Millisecond))
	pass()
	return pass
}
