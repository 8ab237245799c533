package experiment

import (
	"fmt"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln"
)

// Best is the best epoch of a run as numbers alone, for whoever runs the model elsewhere.
type Best struct {
	Config     Config
	Epoch      int
	Weights    map[string]safetensors.Tensor // variables by path, for [snapshot.Restore]
	Width      [3]int                        // features per step that the model reads
	Normaliser data.Normaliser               // of the training split
	ULGM       *mmiln.ULGM                   // as it stood at the end of that epoch; y_m included
}

// OpenBest reads the best epoch of a run folder.
func OpenBest(dir string) (*Best, error) {
	c, state, at, err := bestState(dir)
	if err != nil {
		return nil, err
	}
	m, err := c.Model()
	if err != nil {
		return nil, err
	}
	file := &safetensors.File{Tensors: state.Tensors}
	seen, _, err := file.Int64(ulgmPrefix + "seen")
	if err != nil {
		return nil, fmt.Errorf("%s: checkpoint: %w", dir, err)
	}
	ulgm := mmiln.NewULGM(c.ULGM, make([]float32, len(seen)), m.Tasks(), c.heads().Widths(m.Tasks()))
	if err := restoreULGM(file, ulgm); err != nil {
		return nil, fmt.Errorf("%s: checkpoint: %w", dir, err)
	}
	return &Best{
		Config: c, Epoch: at.BestEpoch, Weights: weightsOf(state), Width: at.Width, Normaliser: at.Normaliser, ULGM: ulgm,
	}, nil
}
