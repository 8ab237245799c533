package walk

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/mmiln/workbench/gomlx_ext/moments"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
)

// attended sums what the steps of audio receive of text's attention.
func attended() (any, error) {
	c, err := Planted()
	if err != nil {
		return nil, err
	}
	bundle, e, err := Exhibit(c)
	if err != nil {
		return nil, err
	}
	view, err := e.See(bundle.Neutral())
	if err != nil {
		return nil, err
	}
	sum := 0.0
	for _, weight := range view.Attention["layers.0.sag.audio.attention.probabilities"] {
		sum += float64(weight)
	}
	return sum, nil
}

// discrepancy is CMD of the two samples of chapter 05.
func discrepancy(orders int, span float64) (any, error) {
	return scalar(func(x, y *Node) *Node {
		total, _ := moments.CMD(x, y, orders, span)
		return total
	}, [][]float32{{0}, {1}}, [][]float32{{0}, {0}})
}

// scalar runs a graph of two inputs.
func scalar(graph func(x, y *Node) *Node, x, y any) (any, error) {
	backend, err := Backend()
	if err != nil {
		return nil, err
	}
	out, err := ExecOnce(backend, graph, x, y)
	if err != nil {
		return nil, err
	}
	return tensors.ToScalar[float32](out), nil
}

// relabelled is Eq. (34) by the label generator itself, whose centres are put so that α comes out as wanted: with F* = 1 and the
// positive centre at 0 the distances are 1 and α + 1.
func relabelled(y float32, fused, own float64) float64 {
	const epoch = 2
	label := step(epoch, y, float64(y), fused, own)
	old := float64(epoch-1) / (epoch + 1)
	return (label - old*float64(y)) / (1 - old)
}

// newShare is what of a label is new in an epoch: the rest was zero.
func newShare(epoch int) float64 { return step(epoch, 1, 0, 1, 2) / relabelled(1, 1, 2) }

// step is the label of audio after one step of the generator in an epoch, from what it was before.
func step(epoch int, y float32, before, fused, own float64) float64 {
	tasks := []mmiln.Task{mmiln.Multimodal, mmiln.Audio}
	u := mmiln.NewULGM(mmiln.DefaultULGM(), []float32{y}, tasks, map[mmiln.Task]int{mmiln.Multimodal: 1, mmiln.Audio: 1})
	u.Centres[mmiln.Multimodal] = [2][]float64{{0}, {2 + fused}}
	u.Centres[mmiln.Audio] = [2][]float64{{0}, {2 + own}}
	u.Labels[mmiln.Audio][0] = before
	u.Step(epoch, []int{0}, map[mmiln.Task][]float32{mmiln.Multimodal: {1}, mmiln.Audio: {1}})
	return u.Labels[mmiln.Audio][0]
}

// squaredMinusAbsolute is Eq. (35) as printed less Self-MM's, for one prediction that is so far off.
func squaredMinusAbsolute(off float32) (any, error) {
	return scalar(func(y, said *Node) *Node {
		heads, labels := []mmiln.Head{{Task: mmiln.Multimodal, Prediction: said}}, mmiln.Labels{mmiln.Multimodal: y}
		return Sub(mmiln.TaskLoss(heads, labels, "l2"), mmiln.TaskLoss(heads, labels, "l1"))
	}, []float32{0}, []float32{off})
}

// paperDifference is one system's score in Table 2 less another's.
func paperDifference(system, other, dataset, metric string) (any, error) {
	a, err := paper.Lookup(system, dataset)
	if err != nil {
		return nil, err
	}
	b, err := paper.Lookup(other, dataset)
	x, _ := a.Get(metric) // both systems have all six
	y, _ := b.Get(metric)
	return x - y, err
}

// ablationsAbove counts the ablations of Table 3 that score above the whole model.
func ablationsAbove(metric string) (n int) {
	rows := paper.Table3().Rows
	whole := 0.0
	for _, row := range rows {
		if value, _ := row.Get(metric); row.Model == "MMILN" {
			whole = value
		}
	}
	for _, row := range rows {
		if value, _ := row.Get(metric); value > whole {
			n++
		}
	}
	return n
}

// wrongSigns counts the utterances of Table 4 that Self-MM puts on the wrong side of zero.
func wrongSigns() (n int) {
	for _, c := range paper.Table4().Rows {
		if c.Truth*c.SelfMM < 0 {
			n++
		}
	}
	return n
}

// alternatives counts the ways to read the network otherwise, one at a time.
func alternatives() (n int) {
	for _, reading := range mmiln.ReadingTable() {
		n += len(reading.Options) - 1
	}
	return n
}

// weightsOf counts the weights of the walkthrough's model with some settings.
func weightsOf(settings ...string) (any, error) {
	c, err := Config(settings...)
	if err != nil {
		return nil, err
	}
	return CountWeights(c)
}
