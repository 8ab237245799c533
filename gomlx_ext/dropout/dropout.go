// Package dropout is inverted dropout (Srivastava et al., 2014) whose masks are a pure function of a seed and of positions.
//
// GoMLX's dropout draws random bits, which differ between backends, and keeps the mask for the backward pass. Here a mask is a
// hash of where an element stands, of the place in the model and of the step's seed: a few integer operations that XLA fuses
// into whatever consumes the mask, so that it need not be stored; the backward pass computes it again, bit for bit, and so
// does another backend.
//
// The seed is an input of the step's graph:
//
//	dropout.SetSeed(g, seed) // uint32 scalar, another value at each step
//	x = dropout.Apply(scope.In("hidden"), x, 0.1)
package dropout

import (
	"hash/fnv"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

type seedKey struct{}

type callsKey struct{}

// SetSeed gives the graph of a training step its seed, a uint32 scalar. It must come before the first dropout.
func SetSeed(g *Graph, seed *Node) {
	if seed.DType() != dtypes.Uint32 || seed.Rank() != 0 {
		exceptions.Panicf("dropout: the seed must be a uint32 scalar, got %s", seed.Shape())
	}
	g.AttachState(seedKey{}, seed)
}

// Apply drops elements of x with probability rate and scales the others by 1/(1−rate). It returns x unless the graph is
// training and rate is positive. Every call, also a repeated one in the same scope, has masks of its own.
func Apply(scope *model.Scope, x *Node, rate float64) *Node {
	site := NewSite(scope, x.Graph(), rate)
	if site == nil {
		return x
	}
	return site.Drop(x, site.KeepLike(x))
}

// Site is one place in a model where elements are dropped.
type Site struct {
	rate   float64
	key    *Node // uint32 scalar: the place and the step
	column *Node // a second key, so that a row and a column of the same number differ
}

// NewSite returns the next site of scope in g, or nil where nothing is to be dropped: outside of training, or at rate 0.
func NewSite(scope *model.Scope, g *Graph, rate float64) *Site {
	if !(rate >= 0 && rate < 1) {
		exceptions.Panicf("dropout: the rate at %s must be at least 0 and below 1, got %g", scope.Scope(), rate)
	}
	if rate == 0 || !scope.IsTraining(g) {
		return nil
	}
	seed, _ := g.State(seedKey{}).(*Node)
	if seed == nil {
		exceptions.Panicf("dropout: the training graph has no seed at %s: call dropout.SetSeed first", scope.Scope())
	}
	key := mix(Add(mix(seed), Const(g, siteKey(scope, g))))
	return &Site{rate: rate, key: key, column: mix(Add(key, Const(g, uint32(golden))))}
}

// siteKey hashes the scope's path and how often the scope has been asked in this graph.
func siteKey(scope *model.Scope, g *Graph) uint32 {
	calls, _ := g.State(callsKey{}).(map[string]uint32)
	if calls == nil {
		calls = map[string]uint32{}
		g.AttachState(callsKey{}, calls)
	}
	path := scope.Scope()
	calls[path]++
	h := fnv.New32a()
	_, _ = h.Write([]byte(path)) // a hash.Hash never fails
	return h.Sum32() + golden*calls[path]
}

// Keep is true on the elements to keep. Rows and columns are uint32 positions that broadcast against each other: an element
// is known by its row and its column, so that a block of a larger tensor gets its part of that tensor's mask.
func (s *Site) Keep(rows, columns *Node) *Node { return s.Compare(s.Rows(rows), s.Columns(columns)) }

// Rows hashes row positions (uint32, any shape) for [Site.Compare].
func (s *Site) Rows(rows *Node) *Node { return mix(BitwiseXor(mix(rows), s.key)) }

// Columns hashes column positions (uint32, any shape) for [Site.Compare].
func (s *Site) Columns(columns *Node) *Node { return mix(BitwiseXor(mix(columns), s.column)) }

// Compare is [Site.Keep] on hashed positions, the part that is done for every element.
func (s *Site) Compare(rows, columns *Node) *Node {
	h := BitwiseXor(rows, columns)
	h = Mul(h, Const(h.Graph(), uint32(0x21f0aaad)))
	h = BitwiseXor(h, BitwiseShiftRightLogical(h, Const(h.Graph(), uint32(15))))
	h = Mul(h, Const(h.Graph(), uint32(0x735a2d97)))
	return LessThan(h, Const(h.Graph(), threshold(s.rate)))
}

// KeepLike is the mask of all of x; its last axis are the columns, the others together the rows.
func (s *Site) KeepLike(x *Node) *Node {
	g, shape := x.Graph(), x.Shape()
	if shape.Rank() == 0 {
		zero := Const(g, uint32(0))
		return s.Keep(zero, zero)
	}
	leading, trailing := shape.Clone(), shape.Clone()
	leading.DType, trailing.DType = dtypes.Uint32, dtypes.Uint32
	leading.Dimensions[shape.Rank()-1] = 1
	for axis := range shape.Rank() - 1 {
		trailing.Dimensions[axis] = 1
	}
	return s.Keep(IotaFull(g, leading), IotaFull(g, trailing))
}

// Scale is what kept elements are multiplied by, 1/(1−rate).
func (s *Site) Scale() float64 { return 1 / (1 - s.rate) }

// Drop is x scaled where keep is true, and 0 elsewhere. Both have the same shape.
func (s *Site) Drop(x, keep *Node) *Node { return Where(keep, MulScalar(x, s.Scale()), ZerosLike(x)) }

// threshold is the hash below which an element is kept: the keep probability to 2⁻³³.
func threshold(rate float64) uint32 {
	return uint32(min(math.Round((1-rate)*(1<<32)), math.MaxUint32))
}

// golden is ⌊2³²/φ⌋, made odd: multiples of it are spread evenly.
const golden = 0x9e3779b9

// mix is lowbias32, a bijection of uint32 in which each input bit flips each output bit half of the time (C. Wellons,
// "Prospecting for hash functions", constants of the revision of 2022: bias 0.107).
func mix(x *Node) *Node {
	g := x.Graph()
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(16)))
	x = Mul(x, Const(g, uint32(0x21f0aaad)))
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(15)))
	x = Mul(x, Const(g, uint32(0x735a2d97)))
	return BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, uint32(15)))
}

// Positions counts from start over one axis of a shape with the given dimensions: the rows or columns of a block.
func Positions(g *Graph, start uint32, axis int, dims ...int) *Node {
	counted := Iota(g, shapes.Make(dtypes.Uint32, dims...), axis)
	return Add(counted, Const(g, start))
}
