// Package recurrent provides masked LSTM and GRU layers, one or both directions, as a scan over time with its own gradient.
//
// GoMLX's LSTM unrolls time into the graph, which compiles for minutes at the lengths of speech. Here time is a loop: the
// input projection and every weight gradient are one large matrix product outside it, and the loop itself holds one small
// product per step. The cells are PyTorch's (gate order, two biases), so its weights can be loaded as they are.
package recurrent

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/mmiln/workbench/gomlx_ext/hostinit"
	"github.com/mmiln/workbench/gomlx_ext/linear"
)

// Kind is the recurrent cell.
type Kind int

// The cells, with the order of their gates in every weight: GRU r, z, n; LSTM i, f, g, o (PyTorch's order).
const (
	GRU Kind = iota
	LSTM
)

// gates is how many blocks of hidden width a cell's projection has.
func (k Kind) gates() int { return cells[k].gates }

// Config builds a recurrent layer; finish it with [Config.Done].
type Config struct {
	kind    Kind
	scope   *model.Scope
	x       *Node
	lengths *Node
	hidden  int
	both    bool
}

// New starts a layer of the given kind over x [B, T, d] with hidden units per direction.
// Its variables live in scope/forward and scope/reverse: weights_x [d, G·hidden], weights_h [hidden, G·hidden], bias_x and
// bias_h [G·hidden], with G = 3 (GRU) or 4 (LSTM), drawn from U(−1/√hidden, 1/√hidden) as PyTorch does.
func New(kind Kind, scope *model.Scope, x *Node, hidden int) *Config {
	if x.Rank() != 3 {
		exceptions.Panicf("recurrent: x must be [batch, time, features], got %s", x.Shape())
	}
	if hidden < 1 {
		exceptions.Panicf("recurrent: hidden must be at least 1, got %d", hidden)
	}
	return &Config{kind: kind, scope: scope, x: x, hidden: hidden}
}

// Lengths gives the number of valid steps of each example, int32 [B]. Steps from there on change nothing and return zero;
// the reverse direction starts at each example's last valid step. Without it every step is valid.
func (c *Config) Lengths(lengths *Node) *Config {
	lengths.AssertDims(c.x.Shape().Dim(0))
	c.lengths = ConvertDType(lengths, dtypes.Int32)
	return c
}

// Bidirectional adds the reverse direction; outputs are concatenated, forward first.
func (c *Config) Bidirectional() *Config {
	c.both = true
	return c
}

// Done returns the state at every step [B, T, h] and the last valid state [B, h], where h is hidden, or 2·hidden when
// bidirectional (then the reverse part of the last state is the one after the first step).
func (c *Config) Done() (sequence, last *Node) {
	g := c.x.Graph()
	in := inputs{lengths: c.lengths}
	if c.lengths == nil {
		in.lengths = BroadcastToDims(Const(g, int32(c.x.Shape().Dim(1))), c.x.Shape().Dim(0))
	}
	in.projected, in.weights, in.bias = c.project()
	s := scan{
		cell: cells[c.kind], hidden: c.hidden, dtype: c.x.DType(),
		batch: c.x.Shape().Dim(0), steps: c.x.Shape().Dim(1), streams: c.streams(),
	}
	sequence, states := s.run(in)
	return Reshape(sequence, s.batch, s.steps, s.streams*c.hidden), Concatenate(states, -1)
}

// streams is the number of directions; each is one stream of the scan.
func (c *Config) streams() int {
	if c.both {
		return 2
	}
	return 1
}

// project applies the input weights of all streams to every step at once, [B, T, S, G·h]; it also returns each stream's
// recurrent weights [h, G·h] and bias [G·h].
func (c *Config) project() (projected *Node, weights, bias []*Node) {
	g := c.x.Graph()
	width, wide := c.x.Shape().Dim(2), c.kind.gates()*c.hidden
	bound := hostinit.FanIn(c.hidden)
	var weightsX, biasX []*Node
	for _, name := range []string{"forward", "reverse"}[:c.streams()] {
		scope := c.scope.In("%s", name)
		weightsX = append(weightsX, hostinit.Uniform(scope, "weights_x", bound, width, wide).NodeValue(g))
		biasX = append(biasX, hostinit.Uniform(scope, "bias_x", bound, wide).NodeValue(g))
		weights = append(weights, hostinit.Uniform(scope, "weights_h", bound, c.hidden, wide).NodeValue(g))
		bias = append(bias, hostinit.Uniform(scope, "bias_h", bound, wide).NodeValue(g))
	}
	projected = linear.Apply(c.x, Concatenate(weightsX, 1), Concatenate(biasX, 0))
	return Reshape(projected, c.x.Shape().Dim(0), c.x.Shape().Dim(1), c.streams(), wide), weights, bias
}
