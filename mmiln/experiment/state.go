package experiment

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
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
	for _, task := range t.ulgm.Tasks {
		name := ulgmPrefix + string(task)
		all[name+"/features"] = safetensors.FromFloat32(t.ulgm.Features[task], len(t.ulgm.Seen), t.ulgm.Width[task])
		all[name+"/labels"] = float64s(t.ulgm.Labels[task])
		all[name+"/positive"] = float64s(t.ulgm.Centres[task][0])
		all[name+"/negative"] = float64s(t.ulgm.Centres[task][1])
	}
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
	for _, task := range u.Tasks {
		name := ulgmPrefix + string(task)
		if u.Features[task], _, err = file.Float32(name + "/features"); err != nil {
			return err
		}
		if u.Labels[task], _, err = file.Float64(name + "/labels"); err != nil {
			return err
		}
		var centres [2][]float64
		for class, side := range []string{"/positive", "/negative"} {
			if centres[class], _, err = file.Float64(name + side); err != nil {
				return err
			}
		}
		u.Centres[task] = centres
	}
	return nil
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

func float64s(values []float64) safetensors.Tensor {
	var content []byte
	for _, v := range values {
		content = binary.LittleEndian.AppendUint64(content, math.Float64bits(v))
	}
	return safetensors.Tensor{DType: "F64", Shape: []int{len(values)}, Data: content}
}

// Folders of checkpoints within a run's.
func lastDir(checkpoints string) string { return filepath.Join(checkpoints, "last") }
func bestDir(checkpoints string) string { return filepath.Join(checkpoints, "best") }
