package mmiln

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

// GateTransformer encodes one auxiliary modality in fusion layer i, Section 3.2.1. Two gates computed from the whole sequence
// decide how much of the attention's result and how much of the residual passes on.
//
// Eqs. (5), (6): Xⁱ, X_mhⁱ = GateTransformer(Xⁱ⁻¹). It takes the previous layer's x [B, T, d_s] and returns the layer's output
// and its attention value, which the SAG-Transformer of the same layer reads, both [B, T, d_s] and zero at padded steps, and
// ĥ [B, d_s] (nil where MFM is ablated).
func (c Config) GateTransformer(scope *model.Scope, x masked.Sequence, t *taps.Taps) (out, attended masked.Sequence, summary *Node) {
	x.X.AssertDims(-1, -1, c.Width)
	g := c.gates(scope, x, t)                                              // Eqs. (7)–(9)
	attended = x.Over(c.attend(scope.In("attention"), x.X, x, c.Heads, t)) // Eq. (10): X_mh = MH-ATT(Q, K, V of Xⁱ⁻¹)
	mixed := g.mix(scope, attended.X, x.X)                                 // Eq. (11): X̃ = LN(g_c ⊙ X_mh + g_r ⊙ Xⁱ⁻¹)
	out = x.Over(c.feed(scope, mixed))                                     // Eq. (12): Xⁱ = LN(X̃ + FFN(X̃))
	t.Add(scope, "x", out.X)
	return out, attended, g.summary
}
