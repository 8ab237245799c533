// Package masked holds what is done to a batch of sequences of different lengths, where padded steps must change nothing.
package masked

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Sequence is a batch of sequences, padded to the longest.
type Sequence struct {
	X       *Node // [B, T, d]
	Lengths *Node // int32 [B]: the number of valid steps of each example, from the first on
}

// New is the sequences x [B, T, d] of the given lengths, integers [B]. What x holds at padded steps does not matter to
// this package, not even NaN; a length beyond T counts as T.
func New(x, lengths *Node) Sequence {
	if x.Rank() != 3 {
		exceptions.Panicf("masked: x must be [batch, time, features], got %s", x.Shape())
	}
	lengths.AssertDims(x.Shape().Dim(0))
	return Sequence{X: x, Lengths: ConvertDType(lengths, dtypes.Int32)}
}

// Steps is T, padded steps included.
func (s Sequence) Steps() int { return s.X.Shape().Dim(1) }

// Valid is true on valid steps, bool [B, T].
func (s Sequence) Valid() *Node {
	batch, steps := s.X.Shape().Dim(0), s.Steps()
	time := Iota(s.X.Graph(), shapes.Make(dtypes.Int32, batch, steps), 1)
	return LessThan(time, BroadcastToDims(InsertAxes(s.Lengths, 1), batch, steps))
}

// Mask is 1 on valid steps and 0 on padded ones, [B, T, 1], of the type of X.
func (s Sequence) Mask() *Node {
	return ConvertDType(InsertAxes(s.Valid(), -1), s.X.DType())
}

// Over is x [B, T, ·] with the same lengths, zero at padded steps.
func (s Sequence) Over(x *Node) Sequence {
	x.AssertDims(s.X.Shape().Dim(0), s.Steps(), -1)
	return Sequence{X: Where(s.Valid(), x, ScalarZero(x.Graph(), x.DType())), Lengths: s.Lengths}
}

// Mean is the mean of the valid steps [B, d], zero where there are none.
func (s Sequence) Mean() *Node {
	return MaskedReduceMean(s.X, s.Valid(), 1)
}

// First is the first step [B, d], zero where there is none.
func (s Sequence) First() *Node {
	first := Squeeze(Slice(s.X, AxisRange(), AxisElem(0)), 1)
	some := GreaterThan(s.Lengths, ZerosLike(s.Lengths))
	return Where(some, first, ScalarZero(first.Graph(), first.DType()))
}
