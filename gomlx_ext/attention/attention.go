// Package attention is masked multi-head attention (Vaswani et al., 2017, Section 3.2), compatible with PyTorch's.
package attention

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/linear"
)

// Tap takes a named intermediate.
type Tap func(name string, value *Node)

// Config builds an attention layer; finish it with [Config.Done].
type Config struct {
	scope               *model.Scope
	query, key, lengths *Node
	heads               int
	rate                float64
	tap                 Tap
}

// New starts attention of query [B, Q, d] over key [B, K, d], which is also the value, with heads of width d/heads. Steps of
// key from its length [B] on (an integer type; nil: all steps are valid) get no weight; an example without a valid key gets
// the bias of the output projection.
//
// Its variables are weights [d, d], the transpose of torch's, and bias [d] in scope/q, scope/k, scope/v and scope/o, drawn
// from U(−1/√d, 1/√d).
func New(scope *model.Scope, query, key, lengths *Node, heads int) *Config {
	if query.Rank() != 3 || key.Rank() != 3 {
		exceptions.Panicf("attention: query and key must be [batch, time, features], got %s and %s", query.Shape(), key.Shape())
	}
	batch, width := query.Shape().Dim(0), query.Shape().Dim(2)
	key.AssertDims(batch, -1, width)
	if heads < 1 || width%heads != 0 {
		exceptions.Panicf("attention: %d heads do not divide %d features", heads, width)
	}
	if lengths != nil {
		lengths.AssertDims(batch)
	}
	return &Config{scope: scope, query: query, key: key, lengths: lengths, heads: heads}
}

// Dropout drops probabilities, and elements of the output, at this rate in training graphs.
func (c *Config) Dropout(rate float64) *Config {
	c.rate = rate
	return c
}

// Taps gives tap the attention probabilities [B, heads, Q, K] under the name "probabilities", in evaluation graphs only:
// training does not hold them in one piece.
func (c *Config) Taps(tap Tap) *Config {
	c.tap = tap
	return c
}

// Done returns the output [B, Q, d].
func (c *Config) Done() *Node {
	q := c.split(linear.Dense(c.scope.In("q"), c.query, c.width()))
	k := c.split(linear.Dense(c.scope.In("k"), c.key, c.width()))
	v := c.split(linear.Dense(c.scope.In("v"), c.key, c.width()))
	mixed := c.attend(q, k, v)
	out := linear.Dense(c.scope.In("o"), c.join(mixed), c.width())
	return dropout.Apply(c.scope, out, c.rate)
}

// attend is softmax(q·kᵀ/√d_h)·v over q [B, H, Q, d_h], k and v [B, H, K, d_h].
func (c *Config) attend(q, k, v *Node) *Node {
	g := q.Graph()
	scores := MulScalar(Einsum("bhqd,bhkd->bhqk", q, k), 1/math.Sqrt(float64(q.Shape().Dim(-1))))
	probabilities := softmax(scores, c.valid(scores))
	if c.tap != nil && !c.scope.IsTraining(g) {
		c.tap("probabilities", probabilities)
	}
	if site := dropout.NewSite(c.scope, g, c.rate); site != nil {
		probabilities = site.Drop(probabilities, site.KeepLike(probabilities))
	}
	return Einsum("bhqk,bhkd->bhqd", probabilities, v)
}

// softmax over the last axis of scores, where valid; a row without a valid element is all zeros.
func softmax(scores, valid *Node) *Node {
	if valid == nil {
		return Softmax(scores, -1)
	}
	lowest := ConstAs(scores, float32(math.Inf(-1)))
	scores = Where(valid, scores, BroadcastToShape(lowest, scores.Shape()))
	largest := StopGradient(ReduceAndKeep(scores, ReduceMax, -1))
	largest = Where(IsFinite(largest), largest, ZerosLike(largest))
	raised := Where(valid, Exp(Sub(scores, largest)), ZerosLike(scores))
	sum := ReduceAndKeep(raised, ReduceSum, -1)
	return Div(raised, Max(sum, ConstAs(sum, tiny)))
}

// tiny is below any sum of exponentials of which the largest is 1.
const tiny = 1e-30

// valid is true on the keys to look at, broadcast to the shape of scores [B, H, Q, K]; nil when all are.
func (c *Config) valid(scores *Node) *Node {
	if c.lengths == nil {
		return nil
	}
	g, batch, keys := scores.Graph(), scores.Shape().Dim(0), scores.Shape().Dim(3)
	steps := Iota(g, shapes.Make(dtypes.Int32, 1, 1, 1, keys), 3)
	lengths := Reshape(ConvertDType(c.lengths, dtypes.Int32), batch, 1, 1, 1)
	return BroadcastToDims(LessThan(steps, lengths), scores.Shape().Dimensions...)
}

// split turns [B, T, d] into [B, H, T, d_h].
func (c *Config) split(x *Node) *Node {
	batch, steps := x.Shape().Dim(0), x.Shape().Dim(1)
	return TransposeAllAxes(Reshape(x, batch, steps, c.heads, c.width()/c.heads), 0, 2, 1, 3)
}

// join is the inverse of split.
func (c *Config) join(x *Node) *Node {
	batch, steps := x.Shape().Dim(0), x.Shape().Dim(2)
	return Reshape(TransposeAllAxes(x, 0, 2, 1, 3), batch, steps, c.width())
}

func (c *Config) width() int { return c.query.Shape().Dim(2) }
