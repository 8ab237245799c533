package experiment

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/gomlx/compute"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Predictor is a trained model: the best epoch of a run.
type Predictor struct {
	Config Config
	Epoch  int // whose weights these are

	backend compute.Backend
	engine  *Engine
	reader  reader
	width   [3]int // features per step of the training data
}

// OpenPredictor loads the best epoch of a run folder.
func OpenPredictor(dir string, backend compute.Backend) (*Predictor, error) {
	c, state, at, err := bestState(dir)
	if err != nil {
		return nil, err
	}
	m, err := c.Model()
	if err != nil {
		return nil, err
	}
	p := &Predictor{Config: c, Epoch: at.BestEpoch, backend: backend, width: at.Width}
	p.reader = reader{normalise: c.Data.Normalise == "standard", normaliser: at.Normaliser}
	if p.reader.text, err = openText(c.Text, backend); err != nil {
		return nil, err
	}
	if p.engine, err = newEngine(backend, c, m, p.reader.text); err != nil {
		return nil, err
	}
	return p, snapshot.Restore(p.engine.store, weightsOf(state))
}

// bestState reads a run's configuration, the checkpoint of its best epoch, and where training stood then.
func bestState(dir string) (c Config, state snapshot.State, at progress, err error) {
	if c, err = ConfigOf(dir); err != nil {
		return c, state, at, err
	}
	if state, _, _, err = snapshot.Latest(bestDir(dir + "/checkpoints")); err != nil {
		return c, state, at, fmt.Errorf("%s has no trained model: %w", dir, err)
	}
	if err := json.Unmarshal(state.Meta, &at); err != nil {
		return c, state, at, fmt.Errorf("%s: checkpoint: %w", dir, err)
	}
	return c, state, at, nil
}

// weightsOf are the model's variables, by path.
func weightsOf(state snapshot.State) map[string]safetensors.Tensor {
	weights := variables(state.Tensors)
	maps.DeleteFunc(weights, func(path string, _ safetensors.Tensor) bool { return strings.HasPrefix(path, adamPrefix) })
	return weights
}

// Predict returns one line for each example.
func (p *Predictor) Predict(examples data.Examples) ([]record.Prediction, error) {
	examples, err := p.read(examples)
	if err != nil {
		return nil, err
	}
	found, err := p.engine.predict(examples, min(p.Config.Train.Batch, examples.Len()), longest(examples))
	if err != nil {
		return nil, err
	}
	return found.rows(examples), nil
}

// read is examples as the model reads them.
func (p *Predictor) read(examples data.Examples) (data.Examples, error) {
	if err := p.checkWidth(examples); err != nil {
		return nil, err
	}
	return p.reader.view(examples)
}

func (p *Predictor) checkWidth(examples data.Examples) error {
	b, err := examples.Batch([]int{0}, [3]int{})
	if err != nil {
		return err
	}
	for _, m := range data.Modalities {
		if m == data.Text && p.Config.Text.own() {
			continue
		}
		if found := b.Sequences[m].Width; found != p.width[m] {
			return fmt.Errorf("%s has %d features and the model was trained on %d; use the data set of training", m, found, p.width[m])
		}
	}
	return nil
}

// longest is one bucket that holds every example.
func longest(examples data.Examples) data.Buckets {
	return data.Buckets{data.Buckets{}.Steps(examples, every(examples.Len()))}
}

// Score compares predictions with their labels.
func Score(rows []record.Prediction) (metric.Scores, error) {
	predicted, truth := make([]float32, len(rows)), make([]float32, len(rows))
	for i, row := range rows {
		predicted[i], truth[i] = row.Value, row.Label
	}
	return metric.Evaluate(predicted, truth)
}

// Export returns the weights of a run's best epoch under readable names ("layers.0.gate.audio.retain.weights") with the
// configuration in the metadata.
func Export(dir string) (*safetensors.File, error) {
	c, state, at, err := bestState(dir)
	if err != nil {
		return nil, err
	}
	text, err := c.TOML()
	if err != nil {
		return nil, err
	}
	file := &safetensors.File{Tensors: map[string]safetensors.Tensor{}, Metadata: map[string]string{
		"system": c.System, "config": string(text), "epoch": fmt.Sprint(at.BestEpoch), "layout": "matrices are [in, out]",
	}}
	for path, tensor := range weightsOf(state) {
		if !strings.HasPrefix(path, "/#") { // the random state of the store, not a weight
			file.Tensors[strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", ".")] = tensor
		}
	}
	return file, nil
}

// OpenTest opens the test split for a run and records it in that run's folder.
func OpenTest(dir string, sealed *data.Sealed, reason string) (*data.TestSplit, error) {
	return sealed.Unseal(reason, func(o data.Opening) error {
		return record.LogOpening(dir, record.Opening{Time: o.Time, Split: "test", Reason: o.Reason, SHA256: o.SHA256})
	})
}
