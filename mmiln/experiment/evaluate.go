package experiment

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Result is what a finished run came to.
type Result struct {
	Dir       string        `json:"-"`
	BestEpoch int           `json:"best_epoch"`
	Epochs    int           `json:"epochs"`
	Valid     metric.Scores `json:"valid"`
	Test      metric.Scores `json:"test"`
	// Constant is the median of the training labels, predicted for every test example: what must be beaten.
	Constant metric.Scores `json:"constant"`
	Guarded  int           `json:"guarded"` // how often ULGM's denominator was guarded (R14)
}

// predicted is what a model says of a split, in the order of its rows.
type predicted struct {
	tasks map[mmiln.Task][]float32
	gates map[string][]float32 // [N, d_s]
	names []string             // of the gates
}

func (p predicted) of(task mmiln.Task) []float32 { return p.tasks[task] }

// predict evaluates all examples in batches of one size, equally long ones together; the last is filled up with its first
// example.
func (e *Engine) predict(examples data.Examples, size int, buckets data.Buckets) (predicted, error) {
	out := predicted{tasks: map[mmiln.Task][]float32{}, gates: map[string][]float32{}}
	order := data.SortedByLength(examples, every(examples.Len()))
	for _, some := range data.Batches(order, size) {
		b, err := filled(examples, some, size, buckets)
		if err != nil {
			return out, err
		}
		r, err := e.Evaluate(b)
		if err != nil {
			return out, err
		}
		out.append(r, len(some), size)
	}
	reorder(out.gates, order)
	reorder(out.tasks, order)
	out.names = slices.Clone(e.gates)
	return out, nil
}

// filled is a batch of the given rows, filled up to size with the first of them.
func filled(examples data.Examples, some []int, size int, buckets data.Buckets) (*data.Batch, error) {
	rows := slices.Clone(some)
	for len(rows) < size {
		rows = append(rows, some[0])
	}
	return examples.Batch(rows, buckets.Steps(examples, rows))
}

// firstBatch is the first of those that [Engine.predict] evaluates.
func firstBatch(examples data.Examples, size int, buckets data.Buckets) (*data.Batch, error) {
	order := data.SortedByLength(examples, every(examples.Len()))
	return filled(examples, order[:min(size, len(order))], size, buckets)
}

// reorder puts values [N, ·], of the rows in order, in the order of the split.
func reorder[K comparable](all map[K][]float32, order []int) {
	for key, values := range all {
		width, sorted := len(values)/len(order), make([]float32, len(values))
		for i, row := range order {
			copy(sorted[row*width:(row+1)*width], values[i*width:])
		}
		all[key] = sorted
	}
}

func (t *trainer) predict(examples data.Examples) (predicted, error) {
	return t.engine.predict(examples, t.config.Train.Batch, t.buckets)
}

// append keeps the first rows of a batch.
func (p *predicted) append(r EvalResult, keep, of int) {
	for task, values := range r.Predictions {
		p.tasks[task] = append(p.tasks[task], values[:keep]...)
	}
	for name, values := range r.Gates {
		p.gates[name] = append(p.gates[name], values[:len(values)/of*keep]...)
	}
}

// test takes the best epoch's weights, opens the test split and records both splits' predictions. A sealed configuration's
// scores on the test split stay undetermined, and it stays closed.
func (t *trainer) test() (Result, error) {
	p := t.progress
	result := Result{Dir: t.run.Dir(), BestEpoch: p.BestEpoch, Epochs: p.Epoch - 1, Guarded: t.ulgm.Guarded}
	if err := t.takeBest(); err != nil {
		return result, err
	}
	if t.config.Train.Sealed {
		var err error
		result.Test, result.Constant = metric.Undetermined(), metric.Undetermined()
		result.Valid, err = t.score("valid", t.valid)
		return result, err
	}
	opened, err := t.sealed.Unseal("test of the best epoch", t.logOpening)
	if err != nil {
		return result, err
	}
	test, err := t.reader.view(opened)
	if err != nil {
		return result, err
	}
	if result.Valid, err = t.score("valid", t.valid); err != nil {
		return result, err
	}
	if result.Test, err = t.score("test", test); err != nil {
		return result, err
	}
	result.Constant, err = constantScores(t.development, test)
	return result, err
}

// takeBest loads the weights of the best epoch.
func (t *trainer) takeBest() error {
	dir := bestDir(t.run.Checkpoints())
	best, _, _, err := snapshot.Latest(dir)
	if err != nil {
		return fmt.Errorf("no epoch was good enough to keep: %w", err)
	}
	var at progress
	if err := json.Unmarshal(best.Meta, &at); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if at.BestEpoch != t.progress.BestEpoch {
		return fmt.Errorf("%s holds epoch %d and the best is epoch %d; train anew", dir, at.BestEpoch, t.progress.BestEpoch)
	}
	all, err := snapshot.Capture(t.engine.store)
	if err != nil {
		return err
	}
	maps.Copy(all, variables(best.Tensors))
	return snapshot.Restore(t.engine.store, all)
}

func (t *trainer) logOpening(o data.Opening) error {
	return t.run.Opened(record.Opening{Time: o.Time, Split: "test", Reason: o.Reason, SHA256: o.SHA256})
}

// score predicts a split, records the predictions and scores them.
func (t *trainer) score(split string, examples data.Examples) (metric.Scores, error) {
	found, err := t.predict(examples)
	if err != nil {
		return metric.Scores{}, err
	}
	scores, err := metric.Evaluate(found.of(mmiln.Multimodal), labelsOf(examples))
	return scores, errors.Join(err, t.run.Predictions(split, found.rows(examples)))
}

// rows are the lines of a predictions file.
func (p predicted) rows(examples data.Examples) []record.Prediction {
	rows := make([]record.Prediction, examples.Len())
	for i := range rows {
		info := examples.Info(i)
		rows[i] = record.Prediction{ID: info.ID, Label: info.Label, Value: p.of(mmiln.Multimodal)[i], Tasks: map[string]float32{}}
		for task, values := range p.tasks {
			if task != mmiln.Multimodal {
				rows[i].Tasks[string(task)] = values[i]
			}
		}
	}
	return rows
}

// constantScores scores the median training label on other examples.
func constantScores(d *data.Development, examples data.Examples) (metric.Scores, error) {
	constant, err := metric.FitConstant(labelsOf(d.Train))
	if err != nil {
		return metric.Scores{}, err
	}
	guess := make([]float32, examples.Len())
	for i := range guess {
		guess[i] = constant.Median
	}
	return metric.Evaluate(guess, labelsOf(examples))
}
