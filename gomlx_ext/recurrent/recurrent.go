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

	"github.com/mmiln/workbench/gomlx_ext/customgrad"
	"github.com/mmiln/workbench/gomlx_ext/hostinit"
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
	batch, steps := c.x.Shape().Dim(0), c.x.Shape().Dim(1)
	mask := c.mask(batch, steps)
	projected, weights, bias := c.project()
	states := scan(c.kind, projected, weights, bias, mask) // [T, S, B, h], held where masked
	last = Reshape(Slice(states, AxisElem(steps-1)), c.streams(), batch, c.hidden)
	last = Reshape(TransposeAllAxes(last, 1, 0, 2), batch, c.streams()*c.hidden)
	return c.toBatchMajor(Mul(states, mask)), last
}

// streams is the number of directions; each is one stream of the scan.
func (c *Config) streams() int {
	if c.both {
		return 2
	}
	return 1
}

// mask is 1 on valid steps, [T, S, B, 1], with the reverse stream's time running backwards.
func (c *Config) mask(batch, steps int) *Node {
	g := c.x.Graph()
	dtype := c.x.DType()
	if c.lengths == nil {
		return Ones(g, shape(dtype, steps, c.streams(), batch, 1))
	}
	time := Iota(g, shape(dtypes.Int32, steps, 1, 1, 1), 0)
	if c.both {
		reversed := Sub(Const(g, int32(steps-1)), time)
		time = Concatenate([]*Node{time, reversed}, 1)
	}
	lengths := Reshape(c.lengths, 1, 1, batch, 1)
	dims := []int{steps, c.streams(), batch, 1}
	return ConvertDType(LessThan(BroadcastToDims(time, dims...), BroadcastToDims(lengths, dims...)), dtype)
}

// project applies the input weights to every step at once: [T, S, B, G·h]; it also returns the stacked recurrent weights
// [S, h, G·h] and biases [S, 1, G·h].
func (c *Config) project() (projected, weights, bias *Node) {
	g := c.x.Graph()
	width, wide := c.x.Shape().Dim(2), c.kind.gates()*c.hidden
	bound := hostinit.FanIn(c.hidden)
	var inputs, recurrent, biases []*Node
	for _, name := range []string{"forward", "reverse"}[:c.streams()] {
		scope := c.scope.In("%s", name)
		wx := hostinit.Uniform(scope, "weights_x", bound, width, wide).NodeValue(g)
		bx := hostinit.Uniform(scope, "bias_x", bound, wide).NodeValue(g)
		stream := Add(Einsum("btd,dg->tbg", c.x, wx), Reshape(bx, 1, 1, wide))
		if name == "reverse" {
			stream = customgrad.Reverse(stream, 0)
		}
		inputs = append(inputs, InsertAxes(stream, 1))
		recurrent = append(recurrent, hostinit.Uniform(scope, "weights_h", bound, c.hidden, wide).NodeValue(g))
		biases = append(biases, Reshape(hostinit.Uniform(scope, "bias_h", bound, wide).NodeValue(g), 1, wide))
	}
	return Concatenate(inputs, 1), Stack(recurrent, 0), Stack(biases, 0)
}

// toBatchMajor turns the streams' states [T, S, B, h] into [B, T, S·h], with time running forward in every stream.
func (c *Config) toBatchMajor(states *Node) *Node {
	steps, batch := states.Shape().Dim(0), states.Shape().Dim(2)
	var streams []*Node
	for s := range c.streams() {
		stream := Reshape(Slice(states, AxisRange(), AxisElem(s)), steps, batch, c.hidden)
		if s == 1 {
			stream = customgrad.Reverse(stream, 0)
		}
		streams = append(streams, TransposeAllAxes(stream, 1, 0, 2))
	}
	return Concatenate(streams, 2)
}
