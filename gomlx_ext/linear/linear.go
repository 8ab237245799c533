// Package linear is torch.nn.Linear: a matrix product with an optional bias, initialised on the host.
package linear

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/hostinit"
)

// Dense maps the last axis of x [..., in] to width: [..., width]. Its variables are weights [in, width], the transpose of
// torch's, and bias [width], both drawn from U(−1/√in, 1/√in).
func Dense(scope *model.Scope, x *Node, width int) *Node {
	y := NoBias(scope, x, width)
	bias := hostinit.Uniform(scope, "bias", hostinit.FanIn(x.Shape().Dim(-1)), width).NodeValue(x.Graph())
	return Add(y, ExpandLeftToRank(bias, y.Rank()))
}

// NoBias is [Dense] without the bias.
func NoBias(scope *model.Scope, x *Node, width int) *Node {
	in := x.Shape().Dim(-1)
	weights := hostinit.Uniform(scope, "weights", hostinit.FanIn(in), in, width).NodeValue(x.Graph())
	return Dot(x, weights).General([]int{-1}, nil, []int{0}, nil)
}
