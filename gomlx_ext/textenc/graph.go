package textenc

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"

	"github.com/mmiln/workbench/gomlx_ext/attention"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/linear"
	"github.com/mmiln/workbench/gomlx_ext/norm"
)

// Option changes how [Config.Graph] builds an encoder.
type Option func(*encoder)

// TokenTypes gives each word piece its type [B, T], an integer below type_vocab_size: 1 in the second of two texts. Without
// them all are 0.
func TokenTypes(types *Node) Option { return func(e *encoder) { e.types = types } }

// Half multiplies in bfloat16 in dense layers, forward and backward, which accelerators are fastest at. Weights, their
// gradients' sums, attention and norms stay in float32.
func Half() Option { return func(e *encoder) { e.half = true } }

// Graph encodes word pieces ids [B, T] (int32), of which an example's first lengths [B] are valid. It returns the last layer's
// hidden states [B, T, d] and the pooler's output [B, d], that of [CLS] after a dense layer and tanh. Hidden states of steps
// that are not valid mean nothing, and change nothing elsewhere.
//
// In training graphs it drops what BERT drops: embeddings, attention probabilities, and the outputs of attention and of the
// feed-forward layers. The variables are those of [Encoder.Load]; where there are none, they are drawn as by [InitRandom].
func (c Config) Graph(scope *model.Scope, ids, lengths *Node, options ...Option) (hidden, pooled *Node) {
	if err := c.Validate(); err != nil {
		exceptions.Panicf("textenc: %v", err)
	}
	if ids.Rank() != 2 || !ids.DType().IsInt() || ids.Shape().Dim(1) > c.Positions {
		exceptions.Panicf("textenc: ids must be integers [batch, time] of at most %d steps, got %s", c.Positions, ids.Shape())
	}
	lengths.AssertDims(ids.Shape().Dim(0))
	e := encoder{Config: c, scope: scope, g: ids.Graph(), lengths: lengths, weights: map[string]weight{}, sites: map[string]*dropout.Site{}}
	for _, w := range c.weights() {
		e.weights[w.name] = w
	}
	for _, option := range options {
		option(&e)
	}
	hidden = e.embed(ids)
	layer := encoder.layer
	if e.recompute {
		layer = encoder.recomputed
	}
	for i := range c.Layers {
		hidden = layer(e, fmt.Sprintf("encoder.layer.%d.", i), hidden)
	}
	first := Squeeze(Slice(hidden, AxisRange(), AxisRange(0, 1)), 1)
	return hidden, Tanh(e.dense("pooler.dense", first))
}

// encoder is a graph under construction.
type encoder struct {
	Config
	scope          *model.Scope
	g              *Graph
	lengths, types *Node
	recompute      bool
	half           bool
	weights        map[string]weight
	values         map[string]*Node // weights that stand for those of the model
	sites          map[string]*dropout.Site
}

// value is the weight of the checkpoint's name.
func (e encoder) value(name string) *Node {
	if value := e.values[name]; value != nil {
		return value
	}
	return e.weights[name].variable(e.scope, e.Deviation).NodeValue(e.g)
}

// embed sums the embeddings of word pieces, positions and types: [B, T, d].
func (e encoder) embed(ids *Node) *Node {
	batch, steps := ids.Shape().Dim(0), ids.Shape().Dim(1)
	x := e.words(ids)
	positions := Slice(e.value("embeddings.position_embeddings.weight"), AxisRange(0, steps))
	types := e.value("embeddings.token_type_embeddings.weight")
	if e.types == nil {
		positions = Add(positions, BroadcastToDims(Slice(types, AxisRange(0, 1)), steps, e.Width))
	} else {
		e.types.AssertDims(batch, steps)
		x = Add(x, Gather(types, InsertAxes(e.types, -1)))
	}
	x = e.norm("embeddings.LayerNorm", Add(x, InsertAxes(positions, 0)))
	return e.drop("embeddings", x)
}

// words looks up word pieces [B, T]: [B, T, d]. As in torch, padding is not trained.
func (e encoder) words(ids *Node) *Node {
	x := Gather(e.value("embeddings.word_embeddings.weight"), InsertAxes(ids, -1))
	padding := InsertAxes(Equal(ids, Scalar(e.g, ids.DType(), e.Pad)), -1)
	return Where(BroadcastToShape(padding, shapes.Make(dtypes.Bool, x.Shape().Dimensions...)), StopGradient(x), x)
}

// layer is one block of the encoder on x [B, T, d]: attention and a feed-forward layer, each followed by dropout, the residual
// and a norm.
func (e encoder) layer(name string, x *Node) *Node {
	mixed := e.dense(name+"attention.output.dense", e.attend(name+"attention.self", x))
	x = e.norm(name+"attention.output.LayerNorm", Add(e.drop(name+"attention.output", mixed), x))
	inner := activate(e.Activation, e.dense(name+"intermediate.dense", x))
	out := e.dense(name+"output.dense", inner)
	return e.norm(name+"output.LayerNorm", Add(e.drop(name+"output", out), x))
}

// attend is multi-head self-attention of x [B, T, d], before its output projection.
func (e encoder) attend(name string, x *Node) *Node {
	q, k, v := e.dense(name+".query", x), e.dense(name+".key", x), e.dense(name+".value", x)
	return attention.Heads(q, k, v, e.lengths, e.Heads, e.site(name, e.AttentionDropout))
}

func (e encoder) dense(name string, x *Node) *Node {
	weights, bias := e.value(name+".weight"), e.value(name+".bias")
	if !e.half {
		return linear.Apply(x, weights, bias)
	}
	low := func(x *Node) *Node { return ConvertDType(x, dtypes.BFloat16) }
	return ConvertDType(linear.Apply(low(x), low(weights), low(bias)), x.DType())
}

func (e encoder) norm(name string, x *Node) *Node {
	return norm.Apply(x, e.value(name+".weight"), e.value(name+".bias"), e.Epsilon)
}

func (e encoder) drop(name string, x *Node) *Node {
	site := e.site(name, e.Dropout)
	if site == nil {
		return x
	}
	return site.Drop(x, site.KeepLike(x))
}

// site is the place of the given name where elements are dropped, nil outside of training. A layer that is computed again drops
// the same elements.
func (e encoder) site(name string, rate float64) *dropout.Site {
	site, known := e.sites[name]
	if !known {
		scope := e.scope.Store().Scope(weight{name: name}.path(e.scope))
		site = dropout.NewSite(scope, e.g, rate)
		e.sites[name] = site
	}
	return site
}

// activations are those that activate knows.
var activations = []string{"gelu", "gelu_new", "gelu_pytorch_tanh", "relu"}

func activate(name string, x *Node) *Node {
	switch name {
	case "gelu": // x·Φ(x)
		return MulScalar(Mul(x, AddScalar(Erf(MulScalar(x, math.Sqrt2/2)), 1)), 0.5)
	case "gelu_new", "gelu_pytorch_tanh": // Hendrycks and Gimpel (2016), the approximation by tanh
		cubic := Mul(x, AddScalar(MulScalar(Square(x), 0.044715), 1))
		return MulScalar(Mul(x, AddScalar(Tanh(MulScalar(cubic, math.Sqrt(2/math.Pi))), 1)), 0.5)
	}
	return Max(x, ZerosLike(x))
}
