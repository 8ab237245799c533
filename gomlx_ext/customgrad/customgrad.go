// Package customgrad gives a single node of a graph a gradient of its own, for operations that GoMLX cannot differentiate
// (While) or whose gradient can be had more cheaply than the general rule gives it.
//
// GoMLX looks gradients up by the type of a node, in graph.VJPRegistration. When the program starts, this package puts a
// function in front of every entry that looks for the node's own gradient first: other nodes keep the gradient they had, or
// the error that they have none. Nothing is registered later, so graphs can be built side by side.
package customgrad

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// VJP maps the adjoints of a node's outputs to those of its inputs, in the order of node.Inputs(). Each has the shape of what
// it is the adjoint of. A nil entry means that no gradient flows into that input.
type VJP func(node *graph.Node, adjoints []*graph.Node) []*graph.Node

// Set makes vjp the gradient of node in its graph. It must be called while the graph is built, before Gradient. Of an operation
// with several outputs the node is the operation itself, Inputs()[0] of each output. A node that gradient checkpointing computes
// again does not have it.
func Set(node *graph.Node, vjp VJP) {
	g := node.Graph()
	own, _ := g.State(stateKey{}).(gradients)
	if own == nil {
		own = gradients{}
		g.AttachState(stateKey{}, own)
	}
	own[node.Id()] = vjp
}

type stateKey struct{}

// gradients are those of one graph.
type gradients map[graph.NodeId]VJP

func init() {
	for _, kind := range append(graph.NodeTypeValues(), graph.NodeTypeWhile, graph.NodeTypeIf, graph.NodeTypeSort) {
		graph.VJPRegistration[kind] = ownOr(graph.VJPRegistration[kind])
	}
}

func ownOr(general graph.VJP) graph.VJP {
	return func(node *graph.Node, adjoints []*graph.Node, output shapes.Shape) []*graph.Node {
		own, _ := node.Graph().State(stateKey{}).(gradients)
		if vjp := own[node.Id()]; vjp != nil {
			return vjp(node, adjoints)
		}
		if general == nil {
			exceptions.Panicf("graph has node %s with type %q, for which no gradient is defined", node, node.Type())
		}
		return general(node, adjoints, output)
	}
}
