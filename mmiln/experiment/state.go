package experiment

import (
	"encoding/json"
	"fmt"
	"path/filepath"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/ulgmfile"
)

// progress is how far training has come: with the variables and ULGM's state it is all that a checkpoint needs, so that a
// resumed run writes what an uninterrupted one would have.
type progress struct {
	Epoch   int     `json:"epoch"`   // being trained, from 1
	Batch   int     `json:"batch"`   // next of that epoch
	Updates int     `json:"updates"` // of Adam
	Partial partial `json:"partial"` // of the epoch so far

	BestEpoch  int           `json:"best_epoch"`
	BestScore  float64       `json:"best_score"`
	BestScores metric.Scores `json:"best_scores"`
	Waited     int           `json:"waited"` // epochs since the best

	Guarded int                `json:"guarded"`
	Clipped map[mmiln.Task]int `json:"clipped"`

	Width      [3]int          `json:"width"` // features per step of the training data
	Normaliser data.Normaliser `json:"normaliser"`
	Done       bool            `json:"done"`
}

// partial sums what an epoch's batches returned.
type partial struct {
	Batches     int       `json:"batches"`
	Parts       []float64 `json:"parts"` // sums, in the order of lossParts
	Sim         []float64 `json:"sim"`
	Diff        []float64 `json:"diff"`
	Rows        []int     `json:"rows"`        // in the order seen
	Predictions []float32 `json:"predictions"` // of the multimodal head, in that order
}

func (p *partial) add(rows []int, r StepResult) {
	p.Batches++
	p.Parts, p.Sim, p.Diff = sum(p.Parts, r.Parts), sum(p.Sim, r.Sim), sum(p.Diff, r.Diff)
	p.Rows = append(p.Rows, rows...)
	p.Predictions = append(p.Predictions, r.Predictions[mmiln.Multimodal]...)
}

func sum(total []float64, more []float32) []float64 {
	if total == nil {
		total = make([]float64, len(more))
	}
	for i, v := range more {
		total[i] += float64(v)
	}
	return total
}

// Prefixes of the names of tensors in a checkpoint that are not weights. One of the best epoch has no Adam's.
const (
	ulgmPrefix = "ulgm/"
	adamPrefix = "/adam/"
)

// capture is the state of a run as a checkpoint holds it.
func (t *trainer) capture() (snapshot.State, error) {
	t.progress.Updates = t.engine.updates
	t.progress.Guarded, t.progress.Clipped = t.ulgm.Guarded, t.ulgm.Clipped
	meta, err := json.Marshal(t.progress)
	if err != nil {
		return snapshot.State{}, err
	}
	all, err := snapshot.Capture(t.engine.store)
	if err != nil {
		return snapshot.State{}, err
	}
	seen := make([]byte, len(t.ulgm.Seen))
	for i, s := range t.ulgm.Seen {
		if s {
			seen[i] = 1
		}
	}
	all[ulgmPrefix+"seen"] = safetensors.Tensor{DType: "U8", Shape: []int{len(seen)}, Data: seen}
	ulgmfile.Put(all, ulgmPrefix, t.ulgm)
	return snapshot.State{Tensors: all, Meta: meta}, nil
}

// restore is the inverse of capture.
func (t *trainer) restore(s snapshot.State) error {
	if err := json.Unmarshal(s.Meta, &t.progress); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	file := &safetensors.File{Tensors: s.Tensors}
	if err := restoreULGM(file, t.ulgm); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	t.engine.updates = t.progress.Updates
	t.ulgm.Guarded, t.ulgm.Clipped = t.progress.Guarded, t.progress.Clipped
	return snapshot.Restore(t.engine.store, variables(s.Tensors))
}

func restoreULGM(file *safetensors.File, u *mmiln.ULGM) error {
	seen, _, err := file.Int64(ulgmPrefix + "seen")
	if err != nil {
		return err
	}
	if len(seen) != len(u.Seen) {
		return fmt.Errorf("it was trained on %d examples and the data has %d", len(seen), len(u.Seen))
	}
	for i, s := range seen {
		u.Seen[i] = s != 0
	}
	return ulgmfile.Take(file, ulgmPrefix, u)
}

// variables are the tensors of a checkpoint that belong to the model's store.
func variables(all map[string]safetensors.Tensor) map[string]safetensors.Tensor {
	out := map[string]safetensors.Tensor{}
	for name, tensor := range all {
		if name[0] == '/' {
			out[name] = tensor
		}
	}
	return out
}

// Folders of checkpoints within a run's.
func lastDir(checkpoints string) string { return filepath.Join(checkpoints, "last") }
func bestDir(checkpoints string) string { return filepath.Join(checkpoints, "best") }
