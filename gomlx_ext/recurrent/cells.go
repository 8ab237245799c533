package recurrent

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// cell is one step of a recurrence and its reverse. All nodes are [B, ·]; widths are multiples of the hidden width h.
type cell struct {
	gates    int   // blocks of the projection and of the recurrent product
	memories int   // states carried: 1 is h, 2 are h and c
	saved    []int // widths, in blocks, of what step keeps for back

	// step maps the input's part and the state's part of the gates, [B, G·h] each, and the states to the next states.
	step func(projected, recurrent *Node, states []*Node) (next, saved []*Node)

	// back maps the adjoints of the next states to those of the gates' two parts and to the direct parts of the states'.
	back func(saved, states, adjoints []*Node) gradient
}

// gradient holds adjoints of one step.
type gradient struct {
	gates  *Node   // [B, G·h] of the input's part, and of the state's part but for what inner replaces
	inner  *Node   // [B, h] of the last block of the state's part where that differs, else nil
	states []*Node // [B, h] each: what reaches the states beside the gates; nil is zero
}

var cells = map[Kind]cell{
	GRU:  {gates: 3, memories: 1, saved: []int{2, 1, 1}, step: gruStep, back: gruBack},
	LSTM: {gates: 4, memories: 2, saved: []int{2, 1, 1, 1}, step: lstmStep, back: lstmBack},
}

// blocks is x[..., from·w : to·w], where w is the width of one of the count blocks of x.
func blocks(x *Node, count, from, to int) *Node {
	width := x.Shape().Dim(-1) / count
	return Slice(x, AxisRange().Spacer(), AxisRange(from*width, to*width))
}

// gruStep is PyTorch's GRU:
//
//	r = σ(x_r + h_r)   z = σ(x_z + h_z)   n = tanh(x_n + r ⊙ h_n)   h' = (1−z) ⊙ n + z ⊙ h
func gruStep(projected, recurrent *Node, states []*Node) (next, saved []*Node) {
	rz := Logistic(Add(blocks(projected, 3, 0, 2), blocks(recurrent, 3, 0, 2)))
	r, z, inner := blocks(rz, 2, 0, 1), blocks(rz, 2, 1, 2), blocks(recurrent, 3, 2, 3)
	n := Tanh(Add(blocks(projected, 3, 2, 3), Mul(r, inner)))
	return []*Node{Add(n, Mul(z, Sub(states[0], n)))}, []*Node{rz, n, inner}
}

func gruBack(saved, states, adjoints []*Node) gradient {
	r, z, n, inner := blocks(saved[0], 2, 0, 1), blocks(saved[0], 2, 1, 2), saved[1], saved[2]
	dh := adjoints[0]
	dn := less(less(dh, z), Square(n))
	dr := Mul(Mul(dn, inner), less(r, r))
	dz := Mul(Mul(dh, Sub(states[0], n)), less(z, z))
	return gradient{gates: Concatenate([]*Node{dr, dz, dn}, -1), inner: Mul(dn, r), states: []*Node{Mul(dh, z)}}
}

// lstmStep is PyTorch's LSTM:
//
//	i, f, o = σ(x + h)   g = tanh(x_g + h_g)   c' = f ⊙ c + i ⊙ g   h' = o ⊙ tanh(c')
func lstmStep(projected, recurrent *Node, states []*Node) (next, saved []*Node) {
	sum := Add(projected, recurrent)
	input, g, o := Logistic(blocks(sum, 4, 0, 2)), Tanh(blocks(sum, 4, 2, 3)), Logistic(blocks(sum, 4, 3, 4))
	c := Add(Mul(blocks(input, 2, 1, 2), states[1]), Mul(blocks(input, 2, 0, 1), g))
	squashed := Tanh(c)
	return []*Node{Mul(o, squashed), c}, []*Node{input, g, o, squashed}
}

func lstmBack(saved, states, adjoints []*Node) gradient {
	i, f, g, o := blocks(saved[0], 2, 0, 1), blocks(saved[0], 2, 1, 2), saved[1], saved[2]
	dh, squashed := adjoints[0], saved[3]
	dc := Add(adjoints[1], less(Mul(dh, o), Square(squashed)))
	return gradient{
		gates: Concatenate([]*Node{
			Mul(Mul(dc, g), less(i, i)),
			Mul(Mul(dc, states[1]), less(f, f)),
			less(Mul(dc, i), Square(g)),
			Mul(Mul(dh, squashed), less(o, o)),
		}, -1),
		states: []*Node{nil, Mul(dc, f)},
	}
}

// less is a ⊙ (1 − b). It needs no constant 1, which a loop's body must not take from the graph's cache.
func less(a, b *Node) *Node { return Sub(a, Mul(a, b)) }
