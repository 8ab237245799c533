// Package norm is torch.nn.LayerNorm, initialised on the host.
package norm

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/hostinit"
)

// epsilon is PyTorch's; GoMLX's default is 1e-3.
const epsilon = 1e-5

// LayerNorm normalises the last axis of x [..., d] to mean 0 and variance 1, then applies gain and offset [d] (Ba, Kiros and
// Hinton, 2016, Eq. 4).
func LayerNorm(scope *model.Scope, x *Node) *Node {
	g, width := x.Graph(), x.Shape().Dim(-1)
	gain := hostinit.Constant(scope, "gain", 1, width).NodeValue(g)
	offset := hostinit.Constant(scope, "offset", 0, width).NodeValue(g)
	return Apply(x, gain, offset, epsilon)
}

// Apply is [LayerNorm] of x [..., d] with a given gain and offset [d]; epsilon is added to the variance.
func Apply(x, gain, offset *Node, epsilon float64) *Node {
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Square(centred), ReduceMean, -1)
	normal := Div(centred, Sqrt(AddScalar(variance, epsilon)))
	return Add(Mul(normal, ExpandLeftToRank(gain, x.Rank())), ExpandLeftToRank(offset, x.Rank()))
}
