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
	q, k, v := c.project()
	q = c.scaled(q)
	in := c.operands(c.split(q), c.split(k), c.split(v), dropout.NewSite(c.scope, q.Graph(), c.rate))
	if c.tap != nil && !c.scope.IsTraining(q.Graph()) {
		_, _, p := in.padded().forward()
		c.tap("probabilities", Reshape(p, -1, c.heads, p.Shape().Dim(1), p.Shape().Dim(2)))
	}
	out := linear.Dense(c.scope.In("o"), c.join(attend(in)), c.width())
	return dropout.Apply(c.scope, out, c.rate)
}

// Heads is the inner part of attention, for layers with projections of their own: of queries q [B, Q, d] over keys k and values
// v [B, K, d], softmax(q·kᵀ/√(d/heads))·v for each of the heads, side by side: [B, Q, d]. Steps of k from its length [B] on get
// no weight (nil: all are valid); site drops probabilities (nil: none).
func Heads(q, k, v, lengths *Node, heads int, site *dropout.Site) *Node {
	c := New(nil, q, k, lengths, heads)
	v.AssertDims(k.Shape().Dimensions...)
	return c.join(attend(c.operands(c.split(c.scaled(q)), c.split(k), c.split(v), site)))
}

func (c *Config) scaled(q *Node) *Node { return MulScalar(q, 1/math.Sqrt(float64(c.width()/c.heads))) }

// project returns q [B, Q, d], k and v [B, K, d].
func (c *Config) project() (q, k, v *Node) {
	query, key, value := c.scope.In("q"), c.scope.In("k"), c.scope.In("v")
	if c.query == c.key {
		all := linear.Joint(c.key, c.width(), query, key, value)
		return all[0], all[1], all[2]
	}
	both := linear.Joint(c.key, c.width(), key, value)
	return linear.Dense(query, c.query, c.width()), both[0], both[1]
}

// operands adds masks to q, k and v [N, T, d_h].
func (c *Config) operands(q, k, v *Node, site *dropout.Site) operands {
	g, n := q.Graph(), q.Shape().Dim(0)
	in := operands{q: q, k: k, v: v, site: site}
	if c.lengths != nil {
		steps := Iota(g, shapes.Make(dtypes.Int32, 1, 1, 1, k.Shape().Dim(1)), 3)
		valid := LessThan(steps, Reshape(ConvertDType(c.lengths, dtypes.Int32), -1, 1, 1, 1))
		in.valid = Reshape(BroadcastToDims(valid, n/c.heads, c.heads, 1, k.Shape().Dim(1)), n, 1, -1)
	}
	if in.site != nil {
		in.rows, in.columns = in.site.AllRows(g, n, q.Shape().Dim(1), 1), in.site.AllColumns(g, 3, k.Shape().Dim(1))
	}
	return in
}

// split turns [B, T, d] into [N, T, d_h] with N = B·H.
func (c *Config) split(x *Node) *Node {
	batch, steps := x.Shape().Dim(0), x.Shape().Dim(1)
	x = TransposeAllAxes(Reshape(x, batch, steps, c.heads, c.width()/c.heads), 0, 2, 1, 3)
	return Reshape(x, batch*c.heads, steps, -1)
}

// join is the inverse of split.
func (c *Config) join(x *Node) *Node {
	batch, steps := x.Shape().Dim(0)/c.heads, x.Shape().Dim(1)
	x = TransposeAllAxes(Reshape(x, batch, c.heads, steps, -1), 0, 2, 1, 3)
	return Reshape(x, batch, steps, c.width())
}

func (c *Config) width() int { return c.query.Shape().Dim(2) }
