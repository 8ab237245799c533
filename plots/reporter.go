package plots

import (
	"fmt"
	"time"

	"github.com/mmiln/workbench/mmiln/experiment"
)

// Reporter shows training in a notebook: a bar for the batches and live charts that grow with each epoch. Give it to
// experiment.Train as Options.Reporter, and call [Live.Done] when that has returned.
type Reporter struct {
	*Live
	Dir string // the run folder; empty before training has begun

	epochs int
	drawn  time.Time
}

// NewReporter begins live charts below the notebook's cell.
func NewReporter(title string) *Reporter { return &Reporter{Live: NewLive(title, "epoch")} }

// patience is the least time between two pictures of the bar.
const patience = 200 * time.Millisecond

// Begin is called once, before the first batch.
func (r *Reporter) Begin(dir string, epochs, batches int) {
	r.Dir, r.epochs = dir, epochs
	r.Progress(0, batches, fmt.Sprintf("compiling; writing to %s", dir))
}

// Batch moves the bar.
func (r *Reporter) Batch(epoch, done, of int, loss float64) {
	if time.Since(r.drawn) < patience && done < of {
		return
	}
	r.drawn = time.Now()
	r.Progress(done, of, fmt.Sprintf("epoch %d of at most %d, batch %d of %d, loss %.4f", epoch, r.epochs, done, of, loss))
}

// Epoch lets the charts grow.
func (r *Reporter) Epoch(e experiment.EpochReport) {
	at := float64(e.Epoch)
	r.AddPoint(Point{MetricName: "ℓ, training", MetricType: "loss", Step: at, Value: e.TrainLoss})
	r.AddPoint(Point{MetricName: "multimodal head, validation", MetricType: "loss", Step: at, Value: e.ValidLoss})
	r.AddPoint(Point{MetricName: "MAE, validation", MetricType: "MAE and Corr", Step: at, Value: e.Valid.MAE})
	r.AddPoint(Point{MetricName: "Corr, validation", MetricType: "MAE and Corr", Step: at, Value: e.Valid.Corr})
	r.DynamicSampleDone(false)
}
