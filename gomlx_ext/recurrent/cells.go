package recurrent

import (
	. "github.com/gomlx/gomlx/core/graph"
)

var cells = map[Kind]cell{
	GRU:  {gates: 3, memories: 1, step: gruStep, linearise: gruLinear},
	LSTM: {gates: 4, memories: 2, step: lstmStep, linearise: lstmLinear},
}

// blocks splits the last axis into n equal parts.
func blocks(x *Node, n int) []*Node { return Split(x, -1, n) }

// gruStep is PyTorch's GRU:
//
//	r = σ(x_r + h_r)   z = σ(x_z + h_z)   n = tanh(x_n + r ⊙ h_n)   h' = (1−z) ⊙ n + z ⊙ h
func gruStep(projected, recurrent *Node, states []*Node) []*Node {
	_, z, n, _ := gruGates(projected, recurrent)
	return []*Node{Add(n, Mul(z, Sub(states[0], n)))}
}

func gruGates(projected, recurrent *Node) (r, z, n, inner *Node) {
	x, h := blocks(projected, 3), blocks(recurrent, 3)
	r = Logistic(Add(x[0], h[0]))
	z = Logistic(Add(x[1], h[1]))
	return r, z, Tanh(Add(x[2], Mul(r, h[2]))), h[2]
}

func gruLinear(projected, recurrent *Node, before, _ []*Node) linear {
	r, z, n, inner := gruGates(projected, recurrent)
	dn := Mul(OneMinus(z), OneMinus(Square(n)))       // ∂h'/∂(n's argument)
	dr := Mul(Mul(dn, inner), Mul(r, OneMinus(r)))    // ∂h'/∂(r's argument)
	dz := Mul(Sub(before[0], n), Mul(z, OneMinus(z))) // ∂h'/∂(z's argument)
	return linear{
		projected: Stack([]*Node{dr, dz, dn}, -2),
		recurrent: Stack([]*Node{dr, dz, Mul(dn, r)}, -2),
		carry:     []*Node{z},
	}
}

// lstmStep is PyTorch's LSTM:
//
//	i, f, o = σ(x + h)   g = tanh(x_g + h_g)   c' = f ⊙ c + i ⊙ g   h' = o ⊙ tanh(c')
func lstmStep(projected, recurrent *Node, states []*Node) []*Node {
	i, f, g, o := lstmGates(projected, recurrent)
	c := Add(Mul(f, states[1]), Mul(i, g))
	return []*Node{Mul(o, Tanh(c)), c}
}

func lstmGates(projected, recurrent *Node) (i, f, g, o *Node) {
	parts := blocks(Add(projected, recurrent), 4)
	return Logistic(parts[0]), Logistic(parts[1]), Tanh(parts[2]), Logistic(parts[3])
}

func lstmLinear(projected, recurrent *Node, before, after []*Node) linear {
	i, f, g, o := lstmGates(projected, recurrent)
	squashed := Tanh(after[1])
	gates := Stack([]*Node{
		Mul(g, Mul(i, OneMinus(i))),
		Mul(before[1], Mul(f, OneMinus(f))),
		Mul(i, OneMinus(Square(g))),
		Mul(squashed, Mul(o, OneMinus(o))),
	}, -2)
	return linear{
		projected: gates, recurrent: gates,
		carry:  []*Node{ZerosLike(f), f},
		output: Mul(o, OneMinus(Square(squashed))),
	}
}
