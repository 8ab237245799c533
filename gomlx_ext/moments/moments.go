// Package moments compares two samples by their moments.
package moments

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// CMD is the central moment discrepancy of the samples x [B, d] and y [B', d], one row an example, whose values lie in an
// interval of length span (2 for tanh):
//
//	‖E x − E y‖₂/span + Σ_{j=2..orders} ‖C_j(x) − C_j(y)‖₂/spanʲ,  C_j(x) = E (x − E x)ʲ
//
// It returns the sum, a scalar, and its summands [orders]. Where a norm is zero its gradient is zero.
//
// Source: Zellinger et al., "Central Moment Discrepancy (CMD) for Domain-Invariant Representation Learning", ICLR 2017,
// Definition 2 and Eq. (24) of MMILN.
func CMD(x, y *Node, orders int, span float64) (total, terms *Node) {
	check(x, y, orders, span)
	norms := []*Node{norm(meanDifference(x, y))}
	x, y = centred(x), centred(y)
	powerX, powerY := x, y
	for range orders - 1 {
		powerX, powerY = Mul(powerX, x), Mul(powerY, y)
		norms = append(norms, norm(meanDifference(powerX, powerY)))
	}
	for j := range norms {
		norms[j] = DivScalar(norms[j], math.Pow(span, float64(j+1)))
	}
	terms = Stack(norms, 0)
	return ReduceAllSum(terms), terms
}

func check(x, y *Node, orders int, span float64) {
	if x.Rank() != 2 || y.Rank() != 2 || x.Shape().Dim(1) != y.Shape().Dim(1) {
		exceptions.Panicf("moments: the samples must be [batch, d] with the same d, got %s and %s", x.Shape(), y.Shape())
	}
	if orders < 1 || span <= 0 {
		exceptions.Panicf("moments: needs at least 1 order and a positive span, got %d and %g", orders, span)
	}
}

// meanDifference is E x − E y [d]. The sums are subtracted before they are scaled: a compiler that fuses the scaling of one mean
// into the subtraction of the other would leave a rounding error, and with it a gradient, where the samples are the same.
func meanDifference(x, y *Node) *Node {
	batchX, batchY := float64(x.Shape().Dim(0)), float64(y.Shape().Dim(0))
	return DivScalar(Sub(ReduceSum(x, 0), MulScalar(ReduceSum(y, 0), batchX/batchY)), batchX)
}

func centred(x *Node) *Node { return Sub(x, ReduceAndKeep(x, ReduceMean, 0)) }

// norm is the Euclidean norm of x [d], a scalar. The root's argument is replaced where it is zero, since the root has no
// gradient there; the value is the norm's own everywhere.
func norm(x *Node) *Node {
	square := ReduceAllSum(Square(x))
	zero := Equal(square, ZerosLike(square))
	return Where(zero, ZerosLike(square), Sqrt(Where(zero, OnesLike(square), square)))
}
