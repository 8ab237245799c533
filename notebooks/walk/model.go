package walk

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Model is the best epoch of a run, ready for graphs that a chapter builds.
type Model struct {
	experiment.Config
	Store   *model.Store  // the weights, under the paths that [mmiln.MMILN.Forward] gives them
	Valid   data.Examples // as the model reads them
	Backend compute.Backend
}

// Load reads the best epoch of a run, and opens the validation split that it was selected on.
func Load(run *record.Reader) (*Model, error) {
	best, err := experiment.OpenBest(run.Dir())
	if err != nil {
		return nil, err
	}
	development, _, err := Data(best.Config)
	if err != nil {
		return nil, err
	}
	m := &Model{Config: best.Config, Store: model.NewStore(), Valid: development.Valid}
	if best.Config.Data.Normalise == "standard" {
		m.Valid = data.WithNormaliser(best.Normaliser, m.Valid)
	}
	if m.Backend, err = Backend(); err != nil {
		return nil, err
	}
	return m, snapshot.Restore(m.Store, best.Weights)
}

// Compute builds a graph over examples of validation, side by side, and returns what it gives. Its scope is the model's.
func (m *Model) Compute(rows []int, build func(scope *model.Scope, in mmiln.Inputs) []*graph.Node) ([]*tensors.Tensor, error) {
	batch, err := m.Valid.Batch(rows, [3]int{})
	if err != nil {
		return nil, err
	}
	exec, err := model.NewExec(m.Backend, m.Store, func(scope *model.Scope, args []*graph.Node) []*graph.Node {
		return build(scope, mmiln.Inputs{
			Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
		})
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()
	return exec.Exec(arguments(batch)...)
}

// arguments are x [B, T, d] and lengths [B] of each modality; an absent one has a single step of zeros.
func arguments(b *data.Batch) (args []any) {
	for _, s := range b.Sequences {
		if s.Width == 0 {
			s = data.Sequences{Values: make([]float32, len(b.Rows)), Lengths: make([]int32, len(b.Rows)), Steps: 1, Width: 1}
		}
		args = append(args, tensors.FromFlatDataAndDimensions(s.Values, len(b.Rows), s.Steps, s.Width),
			tensors.FromFlatDataAndDimensions(s.Lengths, len(b.Rows)))
	}
	return args
}

// Rows are the first n examples of a split.
func Rows(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}
