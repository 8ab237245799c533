package experiment

import (
	"math"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// RefusionLine is one line of refusion.jsonl: ℓ_sim and ℓ_diff of every layer, means over the epoch's training batches.
type RefusionLine struct {
	Epoch int       `json:"epoch"`
	Sim   []float64 `json:"sim"`  // CMD of ĥ_ta and ĥ_tv, by layer
	Diff  []float64 `json:"diff"` // orthogonality, by layer
}

// ULGMLine is one line of ulgm.jsonl: where the pseudo-labels of an epoch stand.
type ULGMLine struct {
	Epoch   int                       `json:"epoch"`
	Guarded int                       `json:"guarded"` // so far
	Clipped map[mmiln.Task]int        `json:"clipped"` // so far
	Tasks   map[mmiln.Task]LabelDrift `json:"tasks"`
}

// LabelDrift compares the pseudo-labels of one task with y_m and, where the data knows it, with the unimodal truth.
type LabelDrift struct {
	Drift float64 `json:"drift"` // mean |y_s − y_m|
	Flips int     `json:"flips"` // signs that differ from y_m's
	// Correlations with the unimodal truth, of the pseudo-label and of y_m; null where there is no truth.
	Truth           record.Number `json:"truth"`
	MultimodalTruth record.Number `json:"multimodal_truth"`
}

// recordEpoch writes everything that is kept of an epoch.
func (t *trainer) recordEpoch(report EpochReport, valid predicted) error {
	p, epoch := t.progress.Partial, report.Epoch
	scalars := map[string]float64{"valid/loss": validLoss(t.config.fusionLoss(), valid.of(mmiln.Multimodal), labelsOf(t.valid))}
	for i, name := range lossParts {
		scalars["train/"+name] = p.Parts[i] / float64(p.Batches)
	}
	trained, err := metric.Evaluate(p.Predictions, labelsAt(t.train, p.Rows))
	if err != nil {
		return err
	}
	addScores(scalars, "train/", trained)
	addScores(scalars, "valid/", report.Valid)
	if err := t.run.Scalars(epoch, scalars); err != nil {
		return err
	}
	seconds := map[string]any{"epoch": epoch, "seconds": time.Since(t.epochBegan).Seconds()}
	if err := t.run.Append(record.Timing, seconds); err != nil {
		return err
	}
	line := RefusionLine{epoch, over(p.Sim, p.Batches), over(p.Diff, p.Batches)}
	if err := t.run.Append(record.Refusion, line); err != nil {
		return err
	}
	if err := recordGates(t.run, epoch, valid.names, idsOf(t.valid), valid.gates); err != nil {
		return err
	}
	return t.recordLabels(epoch)
}

func addScores(to map[string]float64, prefix string, scores metric.Scores) {
	for _, name := range metric.Names() {
		to[prefix+name], _ = scores.Get(name) // the name is one of Names
	}
}

// recordLabels writes the pseudo-labels of every training example and what they come to.
func (t *trainer) recordLabels(epoch int) error {
	line := ULGMLine{Epoch: epoch, Guarded: t.ulgm.Guarded, Clipped: t.ulgm.Clipped, Tasks: map[mmiln.Task]LabelDrift{}}
	var rows []record.PseudoLabel
	for _, task := range t.ulgm.Tasks[1:] {
		labels := t.ulgm.Labels[task]
		for i, label := range labels {
			info := t.train.Info(i)
			rows = append(rows, record.PseudoLabel{
				Epoch: epoch, Split: "train", ID: info.ID, Task: string(task), Label: float32(label), Human: info.Label,
			})
		}
		line.Tasks[task] = t.drift(task, labels)
	}
	if err := t.run.PseudoLabels(rows); err != nil {
		return err
	}
	return t.run.Append(record.ULGM, line)
}

func (t *trainer) drift(task mmiln.Task, labels []float64) LabelDrift {
	d := LabelDrift{Truth: record.Number(math.NaN()), MultimodalTruth: record.Number(math.NaN())}
	m := map[mmiln.Task]data.Modality{mmiln.Text: data.Text, mmiln.Audio: data.Audio, mmiln.Vision: data.Vision}[task]
	truth, human := make([]float64, len(labels)), make([]float64, len(labels))
	for i, label := range labels {
		info := t.train.Info(i)
		truth[i], human[i] = float64(info.Unimodal[m]), float64(info.Label)
		d.Drift += math.Abs(label-human[i]) / float64(len(labels))
		if label*human[i] < 0 {
			d.Flips++
		}
	}
	if t.development.Schema().Unimodal[m] {
		d.Truth = record.Number(stat.Correlation(labels, truth, nil))
		d.MultimodalTruth = record.Number(stat.Correlation(human, truth, nil))
	}
	return d
}

func over(sums []float64, n int) []float64 {
	means := make([]float64, len(sums))
	for i, s := range sums {
		means[i] = s / float64(n)
	}
	return means
}

func idsOf(e data.Examples) []string {
	ids := make([]string, e.Len())
	for i := range ids {
		ids[i] = e.Info(i).ID
	}
	return ids
}

func labelsAt(e data.Examples, rows []int) []float32 {
	labels := make([]float32, len(rows))
	for i, row := range rows {
		labels[i] = e.Info(row).Label
	}
	return labels
}
