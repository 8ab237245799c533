package recurrent

import (
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// gradients maps the adjoints of the loop's outputs, of which only the sequence and the final h are ever used, to those of its
// inputs. A loop against the first one finds the adjoints of the gates; the weights' are then one product over all steps.
func (s scan) gradients(in inputs, outputs, adjoints []*Node) []*Node {
	saved := outputs[s.savedAt():s.carriedAt()]
	gates, inner := s.reverse(in, saved, adjoints)
	weights, bias := s.parameterGradients(saved[1], gates)
	if inner != nil {
		outer := s.gates - 1
		innerWeights, innerBias := s.parameterGradients(saved[1], inner)
		weights = Concatenate([]*Node{blocks(weights, s.gates, 0, outer), innerWeights}, -1)
		bias = Concatenate([]*Node{blocks(bias, s.gates, 0, outer), innerBias}, -1)
	}
	result := make([]*Node, len(outputs))
	result[1] = gates
	for stream := range s.streams {
		result[3+stream] = Squeeze(Slice(weights, AxisElem(stream)), 0)
		result[3+s.streams+stream] = Squeeze(Slice(bias, AxisElem(stream)), 0)
	}
	return result
}

// parameterGradients sums over all steps: the states before them [B, T, S, h] times the gates' adjoints [B, T, S, w] for the
// weights [S, h, w], and the latter alone for the bias [S, w]. That sum is a product too, which XLA does faster than a sum.
func (s scan) parameterGradients(before, gates *Node) (weights, bias *Node) {
	ones := Ones(gates.Graph(), shapes.Make(s.dtype, s.batch, s.steps))
	return Einsum("btsh,btsg->shg", before, gates), Einsum("bt,btsg->sg", ones, gates)
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
// the saved buffers but the sequence; the gates' adjoints; the carried states' adjoints.
func (s scan) backward(state []*Node, written int) []*Node {
	step, lengths, weights := state[0], state[1], state[2:2+s.streams]
	read := state[2+s.streams:][:len(s.savedWidths())]
	writtenAt := 2 + s.streams + len(read)
	out := append([]*Node{}, state...)
	out[0] = Sub(step, Const(step.Graph(), int32(1)))
	for stream := range s.streams {
		time := s.time(step, stream)
		rows := make([]*Node, len(read))
		for i, buffer := range read {
			rows[i] = row(buffer, time, stream)
		}
		carried := out[writtenAt+written+stream*s.memories:][:s.memories]
		gates := s.backStep(LessThan(time, lengths), rows, carried, weights[stream])
		for i, value := range gates {
			out[writtenAt+i] = setRow(out[writtenAt+i], value, time, stream)
		}
	}
	return out
}

// backStep takes the carried states' adjoints, [B, h] each, past one step of a stream and returns the gates' adjoints. Where the
// step is not valid the former pass unchanged and the latter are zero.
func (s scan) backStep(valid *Node, rows, carried []*Node, weights *Node) (gates []*Node) {
	zero := ConstAs(carried[0], 0)
	adjoints := []*Node{Where(valid, Add(carried[0], rows[0]), zero)}
	for _, carry := range carried[1:] {
		adjoints = append(adjoints, Where(valid, carry, zero))
	}
	grad := s.back(rows[1+s.memories:], rows[1:1+s.memories], adjoints)
	for i, direct := range grad.states {
		carried[i] = Where(valid, zero, carried[i])
		if direct != nil {
			carried[i] = Add(carried[i], direct)
		}
	}
	if grad.inner == nil {
		carried[0] = Add(carried[0], Dot(grad.gates, weights).Product())
		return []*Node{grad.gates}
	}
	recurrent := Concatenate([]*Node{blocks(grad.gates, s.gates, 0, s.gates-1), grad.inner}, -1)
	carried[0] = Add(carried[0], Dot(recurrent, weights).Product())
	return []*Node{grad.gates, grad.inner}
}
