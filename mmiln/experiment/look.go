package experiment

import (
	"fmt"

	"github.com/gomlx/compute"
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

// Look runs one example through the model, unpadded and without dropout, and returns every tap. It compiles a graph, which is
// kept for no second call.
func (p *Predictor) Look(backend compute.Backend, examples data.Examples, row int) (l Look, err error) {
	if examples, err = p.read(some{examples, []int{row}}); err != nil {
		return l, err
	}
	b, err := examples.Batch([]int{0}, [3]int{})
	if err != nil {
		return l, err
	}
	l = Look{Info: examples.Info(0), Predictions: map[mmiln.Task]float32{}, Taps: map[string]Tapped{}}
	exec, err := model.NewExec(backend, p.engine.store, func(scope *model.Scope, args []*Node) []*Node {
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
		return l, err
	}
	defer exec.Finalize()
	out, err := exec.Exec(batchTensors(b))
	if err != nil {
		return l, fmt.Errorf("looking at %s: %w", l.Info.ID, err)
	}
	return l, l.read(out, p.engine.model.Tasks())
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
