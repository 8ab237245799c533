// Package linear is torch.nn.Linear: a matrix product with an optional bias, initialised on the host.
//
// The product's gradient is written out, since XLA on a CPU multiplies at very different speeds depending on which operand comes
// first and how its axes are grouped: see product.
package linear

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/customgrad"
	"github.com/mmiln/workbench/gomlx_ext/hostinit"
)

// Dense maps the last axis of x [..., in] to width: [..., width]. Its variables are weights [in, width], the transpose of
// torch's, and bias [width], both drawn from U(−1/√in, 1/√in).
func Dense(scope *model.Scope, x *Node, width int) *Node {
	y := NoBias(scope, x, width)
	bias := hostinit.Uniform(scope, "bias", hostinit.FanIn(x.Shape().Dim(-1)), width).NodeValue(x.Graph())
	return addBias(y, bias)
}

// Apply is x [..., in] times weights [in, width], plus bias [width]: [..., width].
func Apply(x, weights, bias *Node) *Node { return addBias(product(x, weights), bias) }

// NoBias is [Dense] without the bias.
func NoBias(scope *model.Scope, x *Node, width int) *Node {
	in := x.Shape().Dim(-1)
	weights := hostinit.Uniform(scope, "weights", hostinit.FanIn(in), in, width).NodeValue(x.Graph())
	return product(x, weights)
}

// Joint is [Dense] on one x by several layers of the same width, one for each scope, as one product: [..., width] each.
func Joint(x *Node, width int, scopes ...*model.Scope) []*Node {
	g, in := x.Graph(), x.Shape().Dim(-1)
	weights, biases := make([]*Node, len(scopes)), make([]*Node, len(scopes))
	for i, scope := range scopes {
		weights[i] = hostinit.Uniform(scope, "weights", hostinit.FanIn(in), in, width).NodeValue(g)
		biases[i] = hostinit.Uniform(scope, "bias", hostinit.FanIn(in), width).NodeValue(g)
	}
	return split(Apply(x, Concatenate(weights, 1), Concatenate(biases, 0)), len(scopes))
}

// split cuts the last axis of y into n equal parts. Its gradient puts their adjoints side by side, where GoMLX would pad each
// and add.
func split(y *Node, n int) []*Node {
	parts := Split(y, -1, n)
	tied := OptimizationBarriers(append(parts, y)...)
	customgrad.Set(tied[0].Inputs()[0], func(_ *Node, adjoints []*Node) []*Node {
		return append(make([]*Node, n), Concatenate(adjoints[:n], -1))
	})
	return tied[:n]
}

// product is x [..., in] times weights [in, width].
//
// With x first and every leading axis contracted by name, XLA turns x around and uses its fast library; the product that GoMLX
// derives has the adjoint first, and XLA falls back on one that packs both operands: 1.3 ms of processor time against 2.7 for
// 16·375 steps and weights of 128 by 128, 4.5 against 7.6 for 128 by 512, 5.5 against 9.4 for 512 by 128.
func product(x, weights *Node) *Node {
	y := Dot(x, weights).General([]int{-1}, nil, []int{0}, nil)
	customgrad.Set(y, func(_ *Node, adjoints []*Node) []*Node {
		leading := axes(x.Rank() - 1)
		return []*Node{
			Dot(adjoints[0], weights).General([]int{-1}, nil, []int{1}, nil),
			Dot(x, adjoints[0]).General(leading, nil, leading, nil),
		}
	})
	return y
}

// addBias is y [..., width] + bias [width].
//
// The bias' gradient sums each example's steps by a product with ones: XLA would compute the adjoint once more inside of a sum,
// which makes a feed-forward layer of 500 steps a sixth slower.
func addBias(y, bias *Node) *Node {
	sum := Add(y, ExpandLeftToRank(bias, y.Rank()))
	if y.Rank() < 3 {
		return sum
	}
	examples, width := y.Shape().Dim(0), bias.Shape().Dim(0)
	customgrad.Set(sum, func(node *Node, adjoints []*Node) []*Node {
		adjoint := Reshape(adjoints[0], examples, -1, width)
		ones := BroadcastToDims(ScalarOne(y.Graph(), y.DType()), examples, 1, adjoint.Shape().Dim(1))
		total := ReduceSum(Einsum("bot,btw->bow", ones, adjoint), 0)
		return []*Node{adjoints[0], ReshapeWithShape(total, node.Inputs()[1].Shape())}
	})
	return sum
}

// axes counts from 0 to n − 1.
func axes(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
