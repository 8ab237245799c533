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

// attend is dropout(softmax(q·kᵀ))·v [N, Q, d], whose gradient computes the probabilities again instead of keeping them.
func attend(in operands) *Node {
	given := []*Node{in.q, in.k, in.v}
	in = in.padded()
	n, queries, width := in.q.Shape().Dim(0), in.q.Shape().Dim(1), in.q.Shape().Dim(2)
	size := blockSize(in.q.Graph(), n, queries*in.k.Shape().Dim(1))
	sliced, shared := in.nodes()
	results := eachBlock(size, sliced, shared, []shapes.Shape{float32s(n, queries, width), float32s(n, queries, 1)},
		func(sliced, shared []*Node) []*Node { return in.with(sliced, shared).forward() })
	output, logSum := in.scale(results[0]), results[1]
	return withGradient(output, given, func(adjoint *Node) []*Node {
		return in.gradients(size, output, logSum, adjoint)
	})
}

// gradients maps the output's adjoint [N, Q, d] to those of q, k and v.
func (in operands) gradients(size int, output, logSum, adjoint *Node) []*Node {
	inner := InsertAxes(ReduceSum(Mul(adjoint, output), -1), -1) // Σ_k p·∂p [N, Q, 1]
	sliced, shared := in.nodes()
	kept := len(sliced)
	sliced = append(sliced, in.scale(adjoint), logSum, inner)
	n, queries, keys, width := in.q.Shape().Dim(0), in.q.Shape().Dim(1), in.k.Shape().Dim(1), in.q.Shape().Dim(2)
	out := []shapes.Shape{float32s(n, queries, width), float32s(n, width, keys), float32s(n, width, keys)}
	results := eachBlock(size, sliced, shared, out, func(sliced, shared []*Node) []*Node {
		return in.with(sliced[:kept], shared).backward(sliced[kept], sliced[kept+1], sliced[kept+2])
	})
	return []*Node{results[0], TransposeAllAxes(results[1], 0, 2, 1), TransposeAllAxes(results[2], 0, 2, 1)}
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

// withGradient is output, with a gradient of its own with respect to inputs: vjp maps output's adjoint to theirs.
func withGradient(output *Node, inputs []*Node, vjp func(adjoint *Node) []*Node) *Node {
	tied := OptimizationBarriers(append([]*Node{output}, inputs...)...)
	customgrad.Set(tied[0].Inputs()[0], func(_ *Node, adjoints []*Node) []*Node {
		return append([]*Node{nil}, vjp(adjoints[0])...)
	})
	return tied[0]
}

func float32s(dims ...int) shapes.Shape { return shapes.Make(dtypes.Float32, dims...) }
