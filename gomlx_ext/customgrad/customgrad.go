// Package customgrad gives a single node of a graph a gradient of its own, for operations that GoMLX cannot differentiate
// (While, Reverse) or whose gradient can be had more cheaply than the general rule gives it.
//
// GoMLX looks gradients up by the type of a node, in graph.VJPRegistration. This package wraps the entry of a type once and
// dispatches on the node: other nodes of that type keep the gradient they had, or the error that they have none.
package customgrad

import (
	"sync"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// VJP maps the adjoints of a node's outputs to those of its inputs, in the order of node.Inputs(). A nil entry means that no
// gradient flows into that input.
type VJP func(node *graph.Node, adjoints []*graph.Node) []*graph.Node

type stateKey struct{}

type gradients map[graph.NodeId]VJP

var (
	mu      sync.Mutex
	wrapped = map[graph.NodeType]bool{}
)

// Set makes vjp the gradient of node in its graph. It must be called while the graph is built, before Gradient.
func Set(node *graph.Node, vjp VJP) {
	g := node.Graph()
	own, _ := g.State(stateKey{}).(gradients)
	if own == nil {
		own = gradients{}
		g.AttachState(stateKey{}, own)
	}
	own[node.Id()] = vjp
	wrap(node.Type())
}

func wrap(kind graph.NodeType) {
	mu.Lock()
	defer mu.Unlock()
	if wrapped[kind] {
		return
	}
	wrapped[kind] = true
	before := graph.VJPRegistration[kind]
	graph.VJPRegistration[kind] = func(node *graph.Node, adjoints []*graph.Node, output shapes.Shape) []*graph.Node {
		own, _ := node.Graph().State(stateKey{}).(gradients)
		if vjp := own[node.Id()]; vjp != nil {
			return vjp(node, adjoints)
		}
		if before == nil {
			exceptions.Panicf("graph has node %s with type %q, for which no gradient is defined", node, node.Type())
		}
		return before(node, adjoints, output)
	}
}

// Reverse is graph.Reverse with its gradient: the same reversal of the adjoint.
func Reverse(x *graph.Node, axes ...int) *graph.Node {
	reversed := graph.Reverse(x, axes...)
	Set(reversed, func(_ *graph.Node, adjoints []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.Reverse(adjoints[0], axes...)}
	})
	return reversed
}
