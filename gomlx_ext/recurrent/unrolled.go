package recurrent

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
)

// hasLoop says whether the backend can run a scan as a loop; the pure Go backend has no DynamicSlice.
func hasLoop(g *Graph) bool {
	return g.Backend().Capabilities().Operations[compute.OpTypeDynamicSlice]
}

// unrolled is the scan as a graph of T steps, differentiated by GoMLX.
func unrolled(cell cell, projected, weights, bias, mask *Node) *Node {
	state := initialState(cell, projected, weights, bias, mask)[historyAt+cell.memories:]
	inputs, masks := rows(projected), rows(mask)
	history := make([]*Node, len(inputs))
	for t := range inputs {
		recurrent := Add(Einsum("sbh,shg->sbg", state[0], weights), bias)
		next := cell.step(inputs[t], recurrent, state)
		held := make([]*Node, len(next))
		for i, value := range next {
			held[i] = Add(state[i], Mul(masks[t], Sub(value, state[i])))
		}
		state, history[t] = held, held[0]
	}
	return Stack(history, 0)
}

// rows cuts x along its leading axis by halving, so that the gradient pads T log T rows rather than T².
func rows(x *Node) []*Node {
	n := x.Shape().Dim(0)
	if n == 1 {
		return []*Node{Reshape(x, x.Shape().Dimensions[1:]...)}
	}
	return append(rows(Slice(x, AxisRange(0, n/2))), rows(Slice(x, AxisRange(n/2, n)))...)
}
