package plots

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/train"
	"github.com/gomlx/gomlx/ml/train/metric"
)

// Attach draws any GoMLX training loop live: its training metrics, and those on the given data sets, every so many steps and at
// the end, when the finished charts are left behind.
func Attach(loop *train.Loop, every int, title string, evaluate ...train.Dataset) *Live {
	l := NewLive(title, "step")
	l.attach(loop, every, evaluate)
	return l
}

// late is when the loop calls: after whatever changes the model.
const late = 120

func (l *Live) attach(loop *train.Loop, every int, evaluate []train.Dataset) {
	drawn := int64(-1)
	draw := func(loop *train.Loop, found []*tensors.Tensor) error {
		step := loop.Trainer.GlobalStep()
		if drawn == step {
			return nil
		}
		drawn = step
		return l.sample(loop, found, evaluate)
	}
	train.EveryNSteps(loop, every, "plots.Attach", late, draw)
	loop.OnEnd("plots.Attach", late, func(loop *train.Loop, found []*tensors.Tensor) error {
		if err := draw(loop, found); err != nil {
			return err
		}
		return l.Done()
	})
}

// sample takes the training metrics as they were found, and evaluates.
func (l *Live) sample(loop *train.Loop, found []*tensors.Tensor, evaluate []train.Dataset) error {
	incomplete := l.take(loop, "training", loop.Trainer.TrainMetrics(), found)
	for _, set := range evaluate {
		scores, err := loop.Trainer.Eval(set)
		if err != nil {
			return err
		}
		incomplete = l.take(loop, set.Name(), loop.Trainer.EvalMetrics(), scores) || incomplete
	}
	l.DynamicSampleDone(incomplete)
	return nil
}

// take adds a point for every metric that is a number.
func (l *Live) take(loop *train.Loop, on string, described []metric.Interface, found []*tensors.Tensor) (incomplete bool) {
	step := float64(loop.Trainer.GlobalStep())
	for i, d := range described {
		if d.Name() == "Batch Loss" { // it jumps from batch to batch; the trainer has its moving average too
			continue
		}
		value := shapes.ConvertTo[float64](found[i].Value())
		if math.IsNaN(value) || math.IsInf(value, 0) {
			incomplete = true
			continue
		}
		l.AddPoint(Point{
			MetricName: fmt.Sprintf("%s, %s", d.Name(), on), Short: d.ShortName(), MetricType: d.MetricType(), Step: step, Value: value,
		})
	}
	return incomplete
}
