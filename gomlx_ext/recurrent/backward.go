package recurrent

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// gradients maps the adjoints of the loop's outputs, of which only the sequence and the final h are ever used, to those of its
// inputs. A loop against the first one finds the adjoints of the gates; the weights' are then one product over all steps.
func (s scan) gradients(in inputs, outputs, adjoints []*Node) []*Node {
	saved := outputs[s.savedAt():s.carriedAt()]
	gates, inner := s.reverse(in, saved, adjoints)
	result := make([]*Node, len(outputs))
	result[1] = gates
	for stream := range s.streams {
		before := s.stream(saved[1], stream)
		dWeights, dBias := parameterGradients(before, s.stream(gates, stream), nil)
		if inner != nil {
			dWeights, dBias = parameterGradients(before, s.stream(gates, stream), s.stream(inner, stream))
		}
		result[3+stream] = dWeights
		result[3+s.streams+stream] = dBias
	}
	return result
}

// stream is [B, T, w] of a buffer [B, T, S, w].
func (s scan) stream(buffer *Node, stream int) *Node {
	width := buffer.Shape().Dim(-1)
	return Reshape(Slice(buffer, AxisRange(), AxisRange(), AxisElem(stream)), s.batch, s.steps, width)
}

// parameterGradients sums over all steps: the states before them, [B, T, h], times the gates' adjoints [B, T, G·h], whose last
// block inner replaces.
func parameterGradients(before, gates, inner *Node) (weights, bias *Node) {
	if inner == nil {
		return Einsum("bth,btg->hg", before, gates), ReduceSum(gates, 0, 1)
	}
	outer := blocks(gates, 3, 0, 2)
	weights = Concatenate([]*Node{Einsum("bth,btg->hg", before, outer), Einsum("bth,btg->hg", before, inner)}, -1)
	return weights, Concatenate([]*Node{ReduceSum(outer, 0, 1), ReduceSum(inner, 0, 1)}, -1)
}

// reverse runs the loop backwards and returns the adjoints of the gates [B, T, S, G·h], and of the last block of their
// recurrent part [B, T, S, h] where the cell tells them apart.
func (s scan) reverse(in inputs, saved, adjoints []*Node) (gates, inner *Node) {
	g := in.projected.Graph()
	widths := []int{s.gates}
	if s.splits() {
		widths = append(widths, 1)
	}
	transposed := make([]*Node, s.streams)
	for i, weights := range in.weights {
		transposed[i] = TransposeAllAxes(weights, 1, 0)
	}
	state := concat([]*Node{Const(g, int32(s.steps-1)), in.lengths}, transposed, []*Node{adjoints[s.savedAt()]}, saved[1:],
		s.buffers(g, widths), adjoints[s.carriedAt():])
	cond := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{GreaterOrEqual(parameters(g, state)[0], Const(g, int32(0)))}
	})
	body := NewClosure(g, func(g *Graph) []*Node { return s.backward(parameters(g, state), len(widths)) })
	out := While(cond, body, state...)[2+s.streams+len(saved):]
	if s.splits() {
		return out[0], out[1]
	}
	return out[0], nil
}

// splits says whether the cell's gates see the recurrent part's last block apart from the projected part's.
func (s scan) splits() bool { return s.memories == 1 }

// backward is the body of the reverse loop. Its state: the step; the lengths; the transposed weights; the sequence's adjoint;
// the saved rows; the gates' adjoints; the carried states' adjoints.
func (s scan) backward(state []*Node, written int) []*Node {
	step, lengths, weights := state[0], state[1], state[2:2+s.streams]
	read := state[2+s.streams:][:len(s.savedWidths())]
	writtenAt := 2 + s.streams + len(read)
	out := append([]*Node{}, state...)
	out[0] = Sub(step, Const(step.Graph(), int32(1)))
	for stream := range s.streams {
		time := s.time(step, stream)
		valid := LessThan(time, lengths)
		rows := make([]*Node, len(read))
		for i, buffer := range read {
			rows[i] = row(buffer, time, stream)
		}
		carried := out[writtenAt+written+stream*s.memories:][:s.memories]
		zero := ConstAs(carried[0], 0)
		adjoints := make([]*Node, s.memories)
		for i, carry := range carried {
			adjoints[i] = Where(valid, carry, zero)
		}
		adjoints[0] = Where(valid, Add(carried[0], rows[0]), zero)
		grad := s.back(rows[1+s.memories:], rows[1:1+s.memories], adjoints)
		out[writtenAt] = setRow(out[writtenAt], grad.gates, time, stream)
		recurrent := grad.gates
		if grad.inner != nil {
			out[writtenAt+1] = setRow(out[writtenAt+1], grad.inner, time, stream)
			recurrent = Concatenate([]*Node{blocks(grad.gates, s.gates, 0, s.gates-1), grad.inner}, -1)
		}
		for i, direct := range grad.states {
			held := Where(valid, zero, carried[i])
			if direct != nil {
				held = Add(held, direct)
			}
			if i == 0 {
				held = Add(held, Dot(recurrent, weights[stream]).Product())
			}
			carried[i] = held
		}
	}
	return out
}
