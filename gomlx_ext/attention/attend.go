package attention

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/customgrad"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
)

// operands is what attention reads, with examples and heads as one axis of N = B·H; of a block of them, n.
type operands struct {
	q, k, v *Node         // [N, Q, d], [N, K, d], [N, K, d]; q is scaled by 1/√d
	valid   *Node         // [N, 1, K], false on keys to leave out; nil: none
	site    *dropout.Site // nil: nothing is dropped
	rows    *Node         // [N, Q, 1], with site: where an element of the probabilities stands
	columns *Node         // [1, 1, K], with site
}

// attend is dropout(softmax(q·kᵀ))·v [N, Q, d].
func attend(in operands) *Node {
	n, scores := in.q.Shape().Dim(0), in.q.Shape().Dim(1)*in.k.Shape().Dim(1)
	if size := blockSize(in.q.Graph(), n, scores); size < n {
		return inBlocks(size, in)
	}
	return whole(in)
}

// whole keeps the probabilities for its gradient.
func whole(given operands) *Node {
	in := given.padded()
	output, _, probabilities := in.forward()
	output = in.scale(output)
	return withGradient(output, given, func(adjoint *Node) []*Node {
		return in.backward(probabilities, in.scale(adjoint), innerProduct(adjoint, output))
	})
}

// inBlocks does a block of so many examples and heads at a time, and computes its probabilities again for the gradient.
func inBlocks(size int, given operands) *Node {
	in := given.padded()
	sliced, shared := in.nodes()
	out := []shapes.Shape{in.q.Shape(), withWidth(in.q, 1)}
	results := eachBlock(size, sliced, shared, out, func(sliced, shared []*Node) []*Node {
		output, logSum, _ := in.with(sliced, shared).forward()
		return []*Node{output, logSum}
	})
	output, logSum := in.scale(results[0]), results[1]
	return withGradient(output, given, func(adjoint *Node) []*Node {
		inner, kept := innerProduct(adjoint, output), len(sliced)
		sliced := append(sliced[:kept:kept], in.scale(adjoint), logSum, inner)
		out := []shapes.Shape{in.q.Shape(), turned(in.k), turned(in.v)}
		return eachBlock(size, sliced, shared, out, func(sliced, shared []*Node) []*Node {
			block := in.with(sliced[:kept], shared)
			return block.backward(block.again(sliced[kept+1]), sliced[kept], sliced[kept+2])
		})
	})
}

// withGradient is output, with a gradient of its own: backward maps its adjoint to those of q, and of k and v turned.
func withGradient(output *Node, in operands, backward func(adjoint *Node) []*Node) *Node {
	tied := OptimizationBarriers(output, in.q, in.k, in.v)
	customgrad.Set(tied[0].Inputs()[0], func(_ *Node, adjoints []*Node) []*Node {
		found := backward(adjoints[0])
		return []*Node{nil, found[0], TransposeAllAxes(found[1], 0, 2, 1), TransposeAllAxes(found[2], 0, 2, 1)}
	})
	return tied[0]
}

// innerProduct is Σ x·y over the last axis, [N, Q, 1].
func innerProduct(x, y *Node) *Node { return InsertAxes(ReduceSum(Mul(x, y), -1), -1) }

func withWidth(x *Node, width int) shapes.Shape {
	return shapes.Make(x.DType(), x.Shape().Dim(0), x.Shape().Dim(1), width)
}

// turned is the shape [N, d, K] of x [N, K, d].
func turned(x *Node) shapes.Shape {
	return shapes.Make(x.DType(), x.Shape().Dim(0), x.Shape().Dim(2), x.Shape().Dim(1))
}

// padded puts a valid key in place of every key to leave out, so that a row's largest score is that of a valid key without
// masking the scores first; the values there are zero.
func (in operands) padded() operands {
	if in.valid == nil {
		return in
	}
	valid := BroadcastToShape(TransposeAllAxes(in.valid, 0, 2, 1), shapes.Make(dtypes.Bool, in.k.Shape().Dimensions...))
	first := Slice(in.k, AxisRange(), AxisRange(0, 1))
	in.k = Where(valid, in.k, BroadcastToShape(first, in.k.Shape()))
	in.v = Where(valid, in.v, ZerosLike(in.v))
	return in
}

// scale multiplies x by what kept probabilities are to be multiplied by.
func (in operands) scale(x *Node) *Node {
	if in.site == nil {
		return x
	}
	return MulScalar(x, in.site.Scale())
}

// nodes lists what is cut into blocks of the first axis, and what every block shares.
func (in operands) nodes() (sliced, shared []*Node) {
	sliced = []*Node{in.q, in.k, in.v}
	if in.valid != nil {
		sliced = append(sliced, in.valid)
	}
	if in.site != nil {
		sliced, shared = append(sliced, in.rows), []*Node{in.columns}
	}
	return sliced, shared
}

// with is the reverse of nodes: in for other nodes.
func (in operands) with(sliced, shared []*Node) operands {
	in.q, in.k, in.v = sliced[0], sliced[1], sliced[2]
	if in.valid != nil {
		in.valid = sliced[3]
	}
	if in.site != nil {
		in.rows, in.columns = sliced[len(sliced)-1], shared[0]
	}
	return in
}
