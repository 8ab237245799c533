package attention

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// What follows runs inside of loops. There, go-xla has no reductions, and GoMLX's shared scalars must not be created: hence
// Const, sums as products with ones, and maxima by halves.

// forward returns the output [n, Q, d] without dropout's scale, the logarithm of each row's sum of exponentials [n, Q, 1], and
// the probabilities [n, Q, K].
func (in operands) forward() (output, logSum, probabilities *Node) {
	scores := Einsum("nqd,nkd->nqk", in.q, in.k)
	largest := rowMax(scores)
	raised := in.whereValid(Exp(Sub(scores, largest)))
	sum := Max(rowSum(raised), Const(scores.Graph(), tiny))
	output = Div(Einsum("nqk,nkd->nqd", in.whereKept(raised, 0), in.v), sum)
	return output, Add(largest, Log(sum)), Div(raised, sum)
}

// tiny is far below any sum of exponentials of which the largest is 1, so that only a row without a key meets it.
const tiny = float32(1e-30)

// again is the probabilities [n, Q, K] once more, from what forward found.
func (in operands) again(logSum *Node) *Node {
	return in.whereValid(Exp(Sub(Einsum("nqd,nkd->nqk", in.q, in.k), logSum)))
}

// backward returns the adjoints of q [n, Q, d], and of k and v [n, d, K], which products are fastest at. The adjoint of the
// output comes scaled by dropout; inner is Σ_k p·∂p, equal to Σ output·adjoint.
//
// Dropped probabilities carry a minus sign: so one array holds probabilities and mask.
func (in operands) backward(probabilities, adjoint, inner *Node) []*Node {
	signed := in.whereKept(probabilities, -1)
	zero := filled(signed, 0)
	dProbabilities := Einsum("nqd,nkd->nqk", adjoint, in.v)
	inner = BroadcastToDims(inner, signed.Shape().Dimensions...)
	dScores := Mul(signed, Where(GreaterOrEqual(signed, zero), Sub(dProbabilities, inner), inner))
	return []*Node{
		Einsum("nqk,nkd->nqd", dScores, in.k),
		Einsum("nqd,nqk->ndk", in.q, dScores),
		Einsum("nqd,nqk->ndk", adjoint, Max(signed, zero)),
	}
}

// whereValid is x [n, Q, K], zero on keys to leave out.
func (in operands) whereValid(x *Node) *Node {
	if in.valid == nil {
		return x
	}
	return Where(BroadcastToDims(in.valid, x.Shape().Dimensions...), x, filled(x, 0))
}

// whereKept is x [n, Q, K], multiplied by factor on what is dropped: 0 or −1.
func (in operands) whereKept(x *Node, factor float32) *Node {
	if in.site == nil {
		return x
	}
	dropped := filled(x, 0)
	if factor != 0 {
		dropped = Neg(x)
	}
	return Where(in.site.Compare(in.rows, in.columns), x, dropped)
}

// filled has the shape of x.
func filled(x *Node, value float32) *Node {
	return BroadcastToDims(Const(x.Graph(), value), x.Shape().Dimensions...)
}

// rowSum is [n, Q, 1] of x [n, Q, K].
func rowSum(x *Node) *Node {
	ones := BroadcastToDims(Const(x.Graph(), float32(1)), x.Shape().Dim(2), 1)
	return DotGeneral(x, []int{2}, nil, ones, []int{0}, nil)
}

// rowMax is [n, Q, 1] of x [n, Q, K]: the largest of eight parts, element by element, until one element is left. Parts may
// overlap. The barrier keeps XLA from fusing all of it into one loop without vectors.
func rowMax(x *Node) *Node {
	for x.Shape().Dim(2) > 1 {
		width := x.Shape().Dim(2)
		parts := min(8, width)
		length := (width + parts - 1) / parts
		largest := Slice(x, AxisRange(), AxisRange(), AxisRange(0, length))
		for part := 1; part < parts; part++ {
			from := min(part*length, width-length)
			largest = Max(largest, Slice(x, AxisRange(), AxisRange(), AxisRange(from, from+length)))
		}
		x = OptimizationBarrier(largest)
	}
	return x
}
