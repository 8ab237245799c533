package mmiln

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

// SAGTransformer fuses text with one auxiliary modality in fusion layer i, Section 3.2.2: a third gate selects, step by step,
// what of the modality's attention value text may see.
//
// Eqs. (13), (14): X_fⁱ = SAG-Transformer(X_fⁱ⁻¹, X_mh,nⁱ, X_mh,nⁱ). It takes the pair's x [B, T_t, d_s] and the auxiliary's
// attention value other [B, T_n, d_s] of the same layer, and returns the layer's output [B, T_t, d_s], zero at padded steps,
// and ĥ_f [B, d_s] (nil where MFM is ablated).
func (c Config) SAGTransformer(scope *model.Scope, x, other masked.Sequence, t *taps.Taps) (out masked.Sequence, summary *Node) {
	x.X.AssertDims(-1, -1, c.Width)
	other.X.AssertDims(-1, -1, c.Width)
	g := c.gates(scope, x, t)                                            // Eqs. (16), (19), (20)
	h := c.selfAttention(scope.In("self"), x, t)                         // Eq. (15): H = Self-Attention(X_fⁱ⁻¹)
	selected := c.selectSteps(scope, other, t)                           // Eqs. (17), (18)
	attended := c.attend(scope.In("attention"), h, selected, c.Heads, t) // Eq. (21): r = MH-ATT(W_Q H, W_K X̃_mh, W_V X̃_mh)
	mixed := g.mix(scope, attended, x.X)                                 // Eq. (22): X̃ = LN(g_c ⊙ r + g_r ⊙ X_fⁱ⁻¹)
	out = x.Over(c.feed(scope, mixed))                                   // Eq. (23): Xⁱ = LN(X̃ + FFN(X̃))
	t.Add(scope, "x", out.X)
	return out, g.summary
}

// selfAttention is Eq. (15) in the readings of R8.
func (c Config) selfAttention(scope *model.Scope, x masked.Sequence, t *taps.Taps) *Node {
	heads := c.Heads
	if c.Readings.SelfAttention == "single" {
		heads = 1
	}
	h := c.attend(scope, x.X, x, heads, t)
	if c.Readings.SelfAttention == "residual" {
		return Add(h, x.X)
	}
	return h
}

// selectSteps applies the gate of every step of the auxiliary modality.
func (c Config) selectSteps(scope *model.Scope, other masked.Sequence, t *taps.Taps) masked.Sequence {
	if c.Ablation == "no_mfm" {
		return other
	}
	gate := other.Over(c.gate(scope.In("select"), other.X)).X // Eq. (17): g_s = σ(W_s X_mh)  [B, T_n, d_s]
	gate = t.Pass(scope, "g_s", gate)
	return other.Over(Mul(gate, other.X)) // Eq. (18): X̃_mh = g_s ⊙ X_mh
}
