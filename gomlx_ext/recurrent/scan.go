package recurrent

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/customgrad"
)

// scan runs S recurrences over the same steps, the second against time, as one While loop whose gradient is another.
type scan struct {
	cell
	batch, steps, streams, hidden int
	dtype                         dtypes.DType
}

// inputs are what a scan reads; gradients flow into all but the lengths.
type inputs struct {
	projected *Node   // [B, T, S, G·h], the inputs' part of the gates, input bias included
	lengths   *Node   // int32 [B]
	weights   []*Node // [h, G·h] for each stream
	bias      []*Node // [G·h] for each stream
}

func (in inputs) nodes() []*Node {
	return concat([]*Node{in.projected, in.lengths}, in.weights, in.bias)
}

// run returns the states after each step [B, T, S, h], zero from each example's length on, and the final ones, S × [B, h].
func (s scan) run(in inputs) (sequence *Node, last []*Node) {
	g := in.projected.Graph()
	state := concat([]*Node{Const(g, int32(0))}, in.nodes(), s.buffers(g, s.savedWidths()), s.carriedZeros(g))
	cond := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{LessThan(parameters(g, state)[0], Const(g, int32(s.steps)))}
	})
	body := NewClosure(g, func(g *Graph) []*Node { return s.forward(parameters(g, state)) })
	outputs := While(cond, body, state...)
	customgrad.Set(outputs[0].Inputs()[0], func(_ *Node, adjoints []*Node) []*Node {
		return s.gradients(in, outputs, adjoints)
	})
	for stream := range s.streams {
		last = append(last, outputs[s.carriedAt()+stream*s.memories])
	}
	return outputs[s.savedAt()], last
}

// The loop's state: the step; the inputs; the saved buffers [B, T, S, ·], of which the first is the sequence; then each
// stream's carried states [B, h].
func (s scan) savedAt() int   { return 1 + 2 + 2*s.streams }
func (s scan) carriedAt() int { return s.savedAt() + len(s.savedWidths()) }

// savedWidths are the widths, in blocks, of what the loop writes: the sequence, the states before each step, and what the
// cell asks for.
func (s scan) savedWidths() []int {
	widths := []int{1}
	for range s.memories {
		widths = append(widths, 1)
	}
	return append(widths, s.saved...)
}

func (s scan) inputsOf(state []*Node) inputs {
	return inputs{projected: state[1], lengths: state[2], weights: state[3 : 3+s.streams], bias: state[3+s.streams : s.savedAt()]}
}

// buffers are zeros [B, T, S, width·h].
func (s scan) buffers(g *Graph, widths []int) (out []*Node) {
	for _, width := range widths {
		out = append(out, Zeros(g, shapes.Make(s.dtype, s.batch, s.steps, s.streams, width*s.hidden)))
	}
	return out
}

func (s scan) carriedZeros(g *Graph) (out []*Node) {
	for range s.streams * s.memories {
		out = append(out, Zeros(g, shapes.Make(s.dtype, s.batch, s.hidden)))
	}
	return out
}

// forward is the loop's body. Here and in backward nothing is broadcast to a shape of the same rank before it meets another
// operand: the pure Go backend would rewire the body to do without, after it has planned its execution.
func (s scan) forward(state []*Node) []*Node {
	in, step := s.inputsOf(state), state[0]
	out := append([]*Node{}, state...)
	out[0] = Add(step, Const(step.Graph(), int32(1)))
	for stream := range s.streams {
		time := s.time(step, stream)
		valid := LessThan(time, in.lengths)
		carried := out[s.carriedAt()+stream*s.memories:][:s.memories]
		recurrent := Add(Dot(carried[0], in.weights[stream]).Product(), InsertAxes(in.bias[stream], 0))
		next, saved := s.step(row(in.projected, time, stream), recurrent, carried)
		rows := concat([]*Node{Where(valid, next[0], ConstAs(next[0], 0))}, carried, saved)
		for i, value := range rows {
			out[s.savedAt()+i] = setRow(out[s.savedAt()+i], value, time, stream)
		}
		for i := range next {
			carried[i] = Where(valid, next[i], carried[i])
		}
	}
	return out
}

// time is the step that a stream is at: the second runs from the end.
func (s scan) time(step *Node, stream int) *Node {
	if stream == 0 {
		return step
	}
	return Sub(Const(step.Graph(), int32(s.steps-1)), step)
}

// parameters declares a closure's parameters, one for each entry of the loop's state. XLA's closures cannot capture.
func parameters(g *Graph, state []*Node) []*Node {
	out := make([]*Node, len(state))
	for i, node := range state {
		out[i] = Parameter(g, fmt.Sprintf("state_%d", i), node.Shape())
	}
	return out
}

func concat(lists ...[]*Node) (out []*Node) {
	for _, list := range lists {
		out = append(out, list...)
	}
	return out
}
