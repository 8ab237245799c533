package recurrent

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/customgrad"
)

// scan runs S independent recurrences side by side.
//
//	projected [T, S, B, G·h]  the inputs' part of the gates, input bias included
//	weights   [S, h, G·h]     recurrent weights; bias [S, 1, G·h]
//	mask      [T, S, B, 1]    0 holds the state
//
// It returns the state after each step, [T, S, B, h].
func scan(kind Kind, projected, weights, bias, mask *Node) *Node {
	cell := cells[kind]
	if !hasLoop(projected.Graph()) {
		return unrolled(cell, projected, weights, bias, mask)
	}
	return looped(cell, projected, weights, bias, mask)
}

// cell is one step of a recurrence and its linearised reverse.
type cell struct {
	gates, memories int // blocks of the projection; states carried (1: h, 2: h and c)

	// step returns the next states from the input part, the recurrent part and the states, all [S, B, ·].
	step func(projected, recurrent *Node, states []*Node) []*Node

	// linearise returns what the reverse scan needs, computed for all steps at once: see [linear].
	linearise func(projected, recurrent *Node, before, after []*Node) linear
}

// looped is the scan as a While loop whose gradient is a second While loop.
func looped(cell cell, projected, weights, bias, mask *Node) *Node {
	g := projected.Graph()
	state := initialState(cell, projected, weights, bias, mask)
	cond := condition(g, state, projected.Shape().Dim(0))
	body := NewClosure(g, func(g *Graph) []*Node { return forwardStep(cell, parameters(g, state)) })
	outputs := While(cond, body, state...)
	customgrad.Set(outputs[0].Inputs()[0], func(node *Node, adjoints []*Node) []*Node {
		return backward(cell, node.Inputs(), outputs, adjoints)
	})
	return outputs[historyAt]
}

// The loop's state: step counter, projected, weights, bias, mask, then the histories [T, S, B, h], one for each carried
// state, then the carried states [S, B, h].
const (
	stepAt = iota
	projectedAt
	weightsAt
	biasAt
	maskAt
	historyAt
)

func initialState(cell cell, projected, weights, bias, mask *Node) []*Node {
	g, dtype := projected.Graph(), projected.DType()
	steps, streams, batch := projected.Shape().Dim(0), projected.Shape().Dim(1), projected.Shape().Dim(2)
	hidden := weights.Shape().Dim(1)
	state := []*Node{Const(g, int32(0)), projected, weights, bias, mask}
	for range cell.memories {
		state = append(state, Zeros(g, shape(dtype, steps, streams, batch, hidden)))
	}
	for range cell.memories {
		state = append(state, Zeros(g, shape(dtype, streams, batch, hidden)))
	}
	return state
}

func forwardStep(cell cell, state []*Node) []*Node {
	step, mask := state[stepAt], at(state[maskAt], state[stepAt])
	histories, carried := state[historyAt:historyAt+cell.memories], state[historyAt+cell.memories:]
	recurrent := Add(Einsum("sbh,shg->sbg", carried[0], state[weightsAt]), state[biasAt])
	next := cell.step(at(state[projectedAt], step), recurrent, carried)
	out := append([]*Node{}, state...)
	out[stepAt] = Add(step, Const(step.Graph(), int32(1)))
	for i, value := range next {
		held := Add(carried[i], Mul(mask, Sub(value, carried[i]))) // masked steps hold the state
		out[historyAt+i] = put(histories[i], held, step)
		out[historyAt+cell.memories+i] = held
	}
	return out
}

// condition is step < steps over a loop with the given state.
func condition(g *Graph, state []*Node, steps int) *Function {
	return NewClosure(g, func(g *Graph) []*Node {
		return []*Node{LessThan(parameters(g, state)[stepAt], Const(g, int32(steps)))}
	})
}

// parameters declares a closure's parameters, one for each entry of the loop's state. XLA's closures cannot capture.
func parameters(g *Graph, state []*Node) []*Node {
	out := make([]*Node, len(state))
	for i, node := range state {
		out[i] = Parameter(g, parameterName(i), node.Shape())
	}
	return out
}

func parameterName(i int) string { return "state_" + string(rune('a'+i)) }

// at is buffer[step], without its leading axis.
func at(buffer, step *Node) *Node {
	dims := append([]int{1}, buffer.Shape().Dimensions[1:]...)
	return Reshape(DynamicSlice(buffer, starts(buffer, step), dims), dims[1:]...)
}

// put is buffer with buffer[step] = value.
func put(buffer, value, step *Node) *Node {
	dims := append([]int{1}, value.Shape().Dimensions...)
	return DynamicUpdateSlice(buffer, Reshape(value, dims...), starts(buffer, step))
}

func starts(buffer, step *Node) []*Node {
	zero := Const(step.Graph(), int32(0))
	out := []*Node{step}
	for range buffer.Rank() - 1 {
		out = append(out, zero)
	}
	return out
}

func shape(dtype dtypes.DType, dims ...int) shapes.Shape { return shapes.Make(dtype, dims...) }
