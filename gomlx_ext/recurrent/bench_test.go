package recurrent_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/peer"
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
	torch := peer.Start(b, "testdata/torch_speed.py")
	for _, steps := range []int{50, 375, 500} {
		for _, cell := range benchKinds {
			b.Run(fmt.Sprintf("Bi%s-%d", cell.name, steps), func(b *testing.B) {
				pass := newPass(b, cell.kind, steps)
				var ours, theirs []time.Duration
				for b.Loop() {
					theirs = append(theirs, torch.Time(cell.name, benchBatch, steps, benchFeatures, benchHidden))
					start := time.Now()
					pass()
					ours = append(ours, time.Since(start))
				}
				b.ReportMetric(peer.Quartile(ours)*1e3, "ours-ms")
				b.ReportMetric(peer.Quartile(theirs)*1e3, "torch-ms")
				b.ReportMetric(peer.Quartile(ours)/peer.Quartile(theirs), "ratio")
			})
		}
	}
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
