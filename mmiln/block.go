package mmiln

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/attention"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/linear"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/norm"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

const lengthType = dtypes.Int32

// gates are what a layer reads off its whole input. All are nil where MFM is ablated: then every gate is 1.
type gates struct {
	summary          *Node // ĥ [B, d_s]
	retain, compound *Node // g_r, g_c: [B, 1, d_s], or [B, T, d_s] where R5 says one a step
}

// gates computes ĥ, g_r and g_c of a sequence: Eqs. (7)–(9) of a GateTransformer, (16), (19), (20) of a SAG-Transformer.
func (c Config) gates(scope *model.Scope, x masked.Sequence, t *taps.Taps) gates {
	if c.Ablation == "no_mfm" {
		return gates{}
	}
	states := c.biGRU(scope.In("summary"), x)
	summary := x.Over(states).Mean() // Eqs. (7), (16): ĥ = avgpool(BiGRU(X))  [B, d_s]
	if c.Readings.SummaryPool == "all" {
		summary = ReduceMean(states, 1)
	}
	seen := InsertAxes(summary, 1)
	if c.Readings.GateScope == "step" {
		seen = states
	}
	g := gates{
		summary:  summary,
		retain:   c.gate(scope.In("retain"), seen),   // Eqs. (8), (19): g_r = σ(W_r ĥ)
		compound: c.gate(scope.In("compound"), seen), // Eqs. (9), (20): g_c = σ(W_c ĥ)
	}
	t.Add(scope, "h", g.summary)
	g.retain, g.compound = t.Pass(scope, "g_r", g.retain), t.Pass(scope, "g_c", g.compound)
	return g
}

// biGRU returns the states [B, T, d_s], zero at padded steps (R3).
func (c Config) biGRU(scope *model.Scope, x masked.Sequence) *Node {
	hidden := c.Width / 2
	if c.Readings.Directions == "average" {
		hidden = c.Width
	}
	states, _ := recurrent.New(recurrent.GRU, scope, x.X, hidden).Lengths(x.Lengths).Bidirectional().Done()
	if c.Readings.Directions == "average" {
		parts := Split(states, -1, 2)
		states = MulScalar(Add(parts[0], parts[1]), 0.5)
	}
	return states
}

// gate is σ(W x) over the last axis (R7: with a bias).
func (c Config) gate(scope *model.Scope, x *Node) *Node {
	if c.Readings.GateBias {
		return Sigmoid(linear.Dense(scope, x, c.Width))
	}
	return Sigmoid(linear.NoBias(scope, x, c.Width))
}

// mix is Eqs. (11) and (22): LN(g_c ⊙ attended + g_r ⊙ X).
func (g gates) mix(scope *model.Scope, attended, x *Node) *Node {
	if g.summary != nil {
		attended, x = Mul(g.compound, attended), Mul(g.retain, x)
	}
	return norm.LayerNorm(scope.In("norm1"), Add(attended, x))
}

// feed is Eqs. (12) and (23): LN(X̃ + FFN(X̃)).
func (c Config) feed(scope *model.Scope, x *Node) *Node {
	ffn := scope.In("ffn")
	inner := dropout.Apply(ffn.In("dropout0"), activate(linear.Dense(ffn.In("0"), x, c.FFN)), c.Dropout)
	outer := dropout.Apply(ffn.In("dropout1"), linear.Dense(ffn.In("1"), inner, c.Width), c.Dropout)
	return norm.LayerNorm(scope.In("norm2"), Add(x, outer))
}

func activate(x *Node) *Node { return Max(x, ZerosLike(x)) }

// attend is MH-ATT(Q = query, K = V = key): [B, T_query, d_s].
func (c Config) attend(scope *model.Scope, query *Node, key masked.Sequence, heads int, t *taps.Taps) *Node {
	layer := attention.New(scope, query, key.X, key.Lengths, heads).Dropout(c.Dropout)
	if t != nil {
		layer = layer.Taps(func(name string, value *Node) { t.Add(scope, name, value) })
	}
	return layer.Done()
}
