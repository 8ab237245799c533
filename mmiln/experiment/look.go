package experiment

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
)

// Look is one example as a trained model sees it.
type Look struct {
	Info        data.Info
	Predictions map[mmiln.Task]float32
	Names       []string          // of the taps, in the order of the network
	Taps        map[string]Tapped // without the axis of the batch
}

// Tapped is one intermediate value, row major.
type Tapped struct {
	Dims   []int
	Values []float32
}

// Look runs one example through the model, unpadded and without dropout, and returns every tap.
func (p *Predictor) Look(examples data.Examples, row int) (l Look, err error) {
	l = Look{Predictions: map[mmiln.Task]float32{}, Taps: map[string]Tapped{}}
	done, err := p.once(examples, []int{row}, func(scope *model.Scope, args []*Node) []*Node {
		t := taps.New(scope)
		out, _ := p.engine.forward(scope, args, t)
		nodes := []*Node{predictions(out)}
		l.Names = l.Names[:0]
		for i, node := range t.Nodes() {
			if node != nil { // an ablation leaves some out
				l.Names, nodes = append(l.Names, t.Names()[i]), append(nodes, node)
			}
		}
		return nodes
	})
	if err != nil {
		return l, fmt.Errorf("looking at example %d: %w", row, err)
	}
	l.Info = done.examples.Info(0)
	return l, l.read(done.out, p.engine.model.Tasks())
}

func (l *Look) read(out []*tensors.Tensor, tasks []mmiln.Task) error {
	for i, t := range out {
		values, err := tensors.CopyFlatData[float32](t)
		if err != nil {
			return err
		}
		if i > 0 {
			l.Taps[l.Names[i-1]] = Tapped{t.Shape().Dimensions[1:], values}
			continue
		}
		for k, task := range tasks {
			l.Predictions[task] = values[k]
		}
	}
	return nil
}
