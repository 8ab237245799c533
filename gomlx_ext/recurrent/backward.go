package recurrent

import . "github.com/gomlx/gomlx/core/graph"

// linear is a recurrence linearised around the states it went through. In the adjoints of the states every step is a product
// with these coefficients, so they are computed for all steps at once, outside the reverse scan.
type linear struct {
	// projected and recurrent [T, S, B, G, h] take the adjoints of the states to those of the two parts of the gates. They
	// are equal for a cell whose gates see only the sum of both.
	projected, recurrent *Node
	// carry [T, S, B, h], one per carried state, takes its adjoint past the step, beside what flows through the gates.
	carry []*Node
	// output [T, S, B, h] is how much of the adjoint of h reaches the memory c. LSTM only.
	output *Node
}

// backward is the gradient of [looped]: adjoints of its inputs given those of its outputs. Only the history of h, the
// scan's one visible output, can carry an adjoint.
func backward(cell cell, inputs, outputs, adjoints []*Node) []*Node {
	projected, weights, bias, mask := inputs[projectedAt], inputs[weightsAt], inputs[biasAt], inputs[maskAt]
	after := outputs[historyAt : historyAt+cell.memories]
	before := make([]*Node, cell.memories)
	for i := range before {
		before[i] = delayed(after[i])
	}
	recurrent := Add(Einsum("tsbh,shg->tsbg", before[0], weights), InsertAxes(bias, 0))
	lin := cell.linearise(projected, recurrent, before, after)
	lin.hold(mask)

	totals := reverseScan(cell, lin, weights, adjoints[historyAt])
	dProjected := flat(cell.gatesAdjoint(lin.projected, totals))
	dRecurrent := dProjected
	if lin.recurrent != lin.projected {
		dRecurrent = flat(cell.gatesAdjoint(lin.recurrent, totals))
	}
	result := make([]*Node, len(inputs))
	result[projectedAt] = dProjected
	result[weightsAt] = Einsum("tsbh,tsbg->shg", before[0], dRecurrent)
	result[biasAt] = InsertAxes(ReduceSum(dRecurrent, 0, 2), 1)
	return result
}

// hold makes masked steps pass adjoints by unchanged: coefficients 0, carry 1.
func (l *linear) hold(mask *Node) {
	shared := l.projected == l.recurrent
	wide := InsertAxes(mask, -1)
	l.projected = Mul(l.projected, wide)
	if shared {
		l.recurrent = l.projected
	} else {
		l.recurrent = Mul(l.recurrent, wide)
	}
	for i, carry := range l.carry {
		l.carry[i] = Add(Mul(mask, carry), OneMinus(mask))
	}
	if l.output != nil {
		l.output = Mul(l.output, mask)
	}
}

// delayed is the history one step earlier, beginning with the zero state.
func delayed(history *Node) *Node {
	steps := history.Shape().Dim(0)
	first := ZerosLike(Slice(history, AxisRange(0, 1)))
	if steps == 1 {
		return first
	}
	return Concatenate([]*Node{first, Slice(history, AxisRange(0, steps-1))}, 0)
}

// gatesAdjoint multiplies coefficients [..., G, h] with the adjoints of the states, [..., h] each.
func (c cell) gatesAdjoint(coefficients *Node, totals []*Node) *Node {
	if c.memories == 1 {
		return Mul(coefficients, InsertAxes(totals[0], -2))
	}
	dh, dc := InsertAxes(totals[0], -2), InsertAxes(totals[1], -2)
	return Mul(coefficients, Concatenate([]*Node{dc, dc, dc, dh}, -2)) // i, f and g act through the memory, o on the output
}

// flat joins the last two axes.
func flat(x *Node) *Node {
	dims := x.Shape().Dimensions
	last := len(dims) - 1
	return Reshape(x, append(append([]int{}, dims[:last-1]...), dims[last-1]*dims[last])...)
}

// reverseScan runs time backwards and returns the whole adjoint of each state at each step, [T, S, B, h].
func reverseScan(cell cell, lin linear, weights, adjoint *Node) []*Node {
	g := adjoint.Graph()
	steps := adjoint.Shape().Dim(0)
	// State: step, transposed weights, adjoint, coefficients, carries, output, then totals, then carried adjoints.
	state := []*Node{Const(g, int32(steps-1)), TransposeAllAxes(weights, 0, 2, 1), adjoint, flat(lin.recurrent)}
	state = append(state, lin.carry...)
	if lin.output != nil {
		state = append(state, lin.output)
	}
	totalsAt := len(state)
	for range cell.memories {
		state = append(state, ZerosLike(adjoint))
	}
	for range cell.memories {
		state = append(state, ZerosLike(Slice(adjoint, AxisElem(0))))
	}
	for i := totalsAt + cell.memories; i < len(state); i++ {
		state[i] = Reshape(state[i], adjoint.Shape().Dimensions[1:]...)
	}
	cond := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{GreaterOrEqual(parameters(g, state)[0], Const(g, int32(0)))}
	})
	body := NewClosure(g, func(g *Graph) []*Node { return backwardStep(cell, parameters(g, state), totalsAt) })
	return While(cond, body, state...)[totalsAt : totalsAt+cell.memories]
}

func backwardStep(cell cell, state []*Node, totalsAt int) []*Node {
	step, weights := state[0], state[1]
	carriedAt := totalsAt + cell.memories
	totals := append([]*Node{}, state[carriedAt:]...)
	totals[0] = Add(totals[0], at(state[2], step))
	if cell.memories == 2 {
		totals[1] = Add(totals[1], Mul(totals[0], at(state[totalsAt-1], step)))
	}
	coefficients := at(state[3], step)
	dims := coefficients.Shape().Dimensions
	coefficients = Reshape(coefficients, dims[0], dims[1], cell.gates, dims[2]/cell.gates)
	gates := flat(cell.gatesAdjoint(coefficients, totals))

	out := append([]*Node{}, state...)
	out[0] = Sub(step, Const(step.Graph(), int32(1)))
	for i, total := range totals {
		out[totalsAt+i] = put(state[totalsAt+i], total, step)
		out[carriedAt+i] = Mul(total, at(state[4+i], step))
	}
	out[carriedAt] = Add(out[carriedAt], Einsum("sbg,sgh->sbh", gates, weights))
	return out
}
