package recurrent_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
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

// The sizes of the paper's widest encoder: batch, features and hidden units per direction.
const benchBatch, benchFeatures, benchHidden = 16, 128, 64

var benchKinds = []struct {
	name string
	kind recurrent.Kind
}{{"GRU", recurrent.GRU}, {"LSTM", recurrent.LSTM}}

// BenchmarkStep times forward and backward of both directions on $MMILN_BACKEND (auto).
func BenchmarkStep(b *testing.B) {
	for _, steps := range []int{50, 375, 500} {
		for _, cell := range benchKinds {
			b.Run(fmt.Sprintf("Bi%s-%d", cell.name, steps), func(b *testing.B) {
				pass := newPass(b, cell.kind, steps)
				for b.Loop() {
					pass()
				}
			})
		}
	}
}

// BenchmarkAgainstTorch alternates passes with torch's, so that other load falls on both alike, and reports the ratio of the
// lower quartiles. $MMILN_PYTHON names a Python that has torch.
func BenchmarkAgainstTorch(b *testing.B) {
	torch := startTorch(b)
	for _, steps := range []int{50, 375, 500} {
		for _, cell := range benchKinds {
			b.Run(fmt.Sprintf("Bi%s-%d", cell.name, steps), func(b *testing.B) {
				pass := newPass(b, cell.kind, steps)
				var ours, theirs []time.Duration
				for b.Loop() {
					theirs = append(theirs, torch(cell.name, benchBatch, steps, benchFeatures, benchHidden))
					start := time.Now()
					pass()
					ours = append(ours, time.Since(start))
				}
				b.ReportMetric(quartile(ours).Seconds()*1e3, "ours-ms")
				b.ReportMetric(quartile(theirs).Seconds()*1e3, "torch-ms")
				b.ReportMetric(quartile(ours).Seconds()/quartile(theirs).Seconds(), "ratio")
			})
		}
	}
}

func quartile(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/4]
}

// newPass compiles a layer with its gradients, says how long that took, and returns one pass over a batch.
func newPass(b *testing.B, kind recurrent.Kind, steps int) func() {
	backend, _, err := device.Open(os.Getenv("MMILN_BACKEND"))
	require.NoError(b, err)
	layer, err := model.NewExec(backend, model.NewStore(), func(scope *model.Scope, x, lengths *Node) []*Node {
		sequence, last := recurrent.New(kind, scope.In("rnn"), x, benchHidden).Lengths(lengths).Bidirectional().Done()
		loss := Add(ReduceAllSum(Square(sequence)), ReduceAllSum(Square(last)))
		return append(Gradient(loss, append(nodes(scope, x.Graph()), x)...), loss)
	})
	require.NoError(b, err)
	x := tensors.FromShape(shapes.Make(dtypes.Float32, benchBatch, steps, benchFeatures))
	lengths := tensors.FromFlatDataAndDimensions(slices.Repeat([]int32{int32(steps)}, benchBatch), benchBatch)
	pass := func() {
		results, err := layer.Exec(x, lengths)
		require.NoError(b, err)
		for _, result := range results {
			result.MustFinalizeAll()
		}
	}
	start := time.Now()
	pass()
	b.Logf("compiled in %v", time.Since(start))
	pass()
	return pass
}

func nodes(scope *model.Scope, g *Graph) (out []*Node) {
	for v := range scope.IterVariables() {
		out = append(out, v.NodeValue(g))
	}
	return out
}

// startTorch runs testdata/torch_speed.py and returns a function that times one pass of it.
func startTorch(b *testing.B) func(kind string, sizes ...int) time.Duration {
	python := os.Getenv("MMILN_PYTHON")
	if python == "" {
		b.Skip("MMILN_PYTHON names no Python with torch")
	}
	command := exec.Command(python, "testdata/torch_speed.py")
	in, err := command.StdinPipe()
	require.NoError(b, err)
	out, err := command.StdoutPipe()
	require.NoError(b, err)
	command.Stderr = os.Stderr
	require.NoError(b, command.Start())
	b.Cleanup(func() { _ = in.Close(); _ = command.Wait() })
	answers := bufio.NewScanner(out)
	return func(kind string, sizes ...int) time.Duration {
		_, err := io.WriteString(in, kind+" "+strings.Trim(fmt.Sprint(sizes), "[]")+"\n")
		require.NoError(b, err)
		require.True(b, answers.Scan(), "torch_speed.py stopped")
		seconds, err := strconv.ParseFloat(answers.Text(), 64)
		require.NoError(b, err)
		return time.Duration(seconds * float64(time.Second))
	}
}
