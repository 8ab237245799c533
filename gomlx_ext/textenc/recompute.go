package textenc

import (
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/customgrad"
)

// Recompute keeps only each layer's input for the gradient, and computes the layer again when its gradient is due (Chen et al.,
// 2016): a third more work, for a fraction of the memory that grows with batch and length.
func Recompute() Option { return func(e *encoder) { e.recompute = true } }

// recomputed is layer, with a gradient that computes the layer again.
func (e encoder) recomputed(name string, x *Node) *Node {
	var names []string
	for _, w := range e.Config.weights() {
		if strings.HasPrefix(w.name, name) {
			names = append(names, w.name)
		}
	}
	inputs := []*Node{x}
	for _, name := range names {
		inputs = append(inputs, e.value(name))
	}
	tied := OptimizationBarriers(append([]*Node{e.layer(name, x)}, inputs...)...)
	customgrad.Set(tied[0].Inputs()[0], func(_ *Node, adjoints []*Node) []*Node {
		return append([]*Node{nil}, e.again(name, names, inputs, adjoints[0])...)
	})
	return tied[0]
}

// again is the gradient of a layer with respect to inputs, its x and its weights of the given names. The barrier lets it begin when
// the adjoint is there, and keeps XLA from taking what the forward pass computed.
func (e encoder) again(name string, names []string, inputs []*Node, adjoint *Node) []*Node {
	held := OptimizationBarriers(append(slices.Clone(inputs), adjoint)...)
	e.values = map[string]*Node{}
	for i, name := range names {
		e.values[name] = held[1+i]
	}
	output := e.layer(name, held[0])
	return Gradient(ReduceAllSum(Mul(output, held[len(inputs)])), held[:len(inputs)]...)
}
