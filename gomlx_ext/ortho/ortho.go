// Package ortho measures how far two batches of vectors are from being orthogonal.
package ortho

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// epsilon is added to the rows' norms, as in MISA's DiffLoss.
const epsilon = 1e-6

// Raw is ‖xᵀ y‖_F² of x and y [B, d], one row an example: a scalar, Eq. (26) of MMILN as printed.
func Raw(x, y *Node) *Node {
	check(x, y)
	return ReduceAllSum(Square(Einsum("bi,bj->ij", x, y)))
}

// Soft is the soft orthogonality loss of x and y [B, d]: a scalar that depends on neither their means nor their lengths.
// Columns are centred over the batch, rows divided by their L2 norm + 1e-6, and ‖xᵀ y‖_F² is divided by d².
//
// With detachNorm the norms are constants to the gradient, as in MISA's DiffLoss (Hazarika et al., 2020); without, as in
// Domain Separation Networks (Bousmalis et al., 2016), they are differentiated, a zero row's norm with gradient zero.
func Soft(x, y *Node, detachNorm bool) *Node {
	check(x, y)
	d := float64(x.Shape().Dim(1))
	return DivScalar(Raw(normalised(x, detachNorm), normalised(y, detachNorm)), d*d)
}

func check(x, y *Node) {
	if x.Rank() != 2 || !x.Shape().Equal(y.Shape()) {
		exceptions.Panicf("ortho: x and y must have the same shape [batch, d], got %s and %s", x.Shape(), y.Shape())
	}
}

// normalised is x with its columns centred, then its rows of length one.
func normalised(x *Node, detachNorm bool) *Node {
	x = Sub(x, ReduceAndKeep(x, ReduceMean, 0))
	norm := rowNorm(x)
	if detachNorm {
		norm = StopGradient(norm)
	}
	return Div(x, AddScalar(norm, epsilon))
}

// rowNorm is the Euclidean norm of each row of x [B, d], as [B, 1]. The root's argument is replaced where it is zero, since
// the root has no gradient there.
func rowNorm(x *Node) *Node {
	square := ReduceAndKeep(Square(x), ReduceSum, 1)
	zero := Equal(square, ZerosLike(square))
	return Where(zero, ZerosLike(square), Sqrt(Where(zero, OnesLike(square), square)))
}
