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
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

type keysKey struct{}

type callsKey struct{}

type rowsKey struct{}

// SetSeed gives the graph of a training step its seed, a uint32 scalar. It must come before the first dropout.
func SetSeed(g *Graph, seed *Node) {
	if seed.DType() != dtypes.Uint32 || seed.Rank() != 0 {
		exceptions.Panicf("dropout: the seed must be a uint32 scalar, got %s", seed.Shape())
	}
	rows := mix(seed)
	columns := mix(Add(rows, Const(g, uint32(golden))))
	g.AttachState(keysKey{}, keys{rows: rows, columns: columns})
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
	rate  float64
	place uint32 // a hash of the place
	keys  keys
}

// keys are what a step's seed is made into, once for a graph: rows and columns have two keys, so that a row and a column of the
// same number differ.
type keys struct{ rows, columns *Node }

// NewSite returns the next site of scope in g, or nil where nothing is to be dropped: outside of training, or at rate 0.
func NewSite(scope *model.Scope, g *Graph, rate float64) *Site {
	if !(rate >= 0 && rate < 1) {
		exceptions.Panicf("dropout: the rate at %s must be at least 0 and below 1, got %g", scope.Scope(), rate)
	}
	if rate == 0 || !scope.IsTraining(g) {
		return nil
	}
	keys, known := g.State(keysKey{}).(keys)
	if !known {
		exceptions.Panicf("dropout: the training graph has no seed at %s: call dropout.SetSeed first", scope.Scope())
	}
	return &Site{rate: rate, place: place(scope, g), keys: keys}
}

// place hashes the scope's path and how often the scope has been asked in this graph.
func place(scope *model.Scope, g *Graph) uint32 {
	calls, _ := g.State(callsKey{}).(map[string]uint32)
	if calls == nil {
		calls = map[string]uint32{}
		g.AttachState(callsKey{}, calls)
	}
	path := scope.Scope()
	calls[path]++
	h := fnv.New32a()
	_, _ = h.Write([]byte(path)) // a hash.Hash never fails
	return hash(h.Sum32() + golden*calls[path])
}

// Keep is true on the elements to keep. Rows and columns are uint32 positions that broadcast against each other: an element
// is known by its row and its column, so that a block of a larger tensor gets its part of that tensor's mask.
func (s *Site) Keep(rows, columns *Node) *Node { return s.Compare(s.Rows(rows), s.Columns(columns)) }

// Rows hashes row positions (uint32, any shape) for [Site.Compare]. They are those of every site of the step.
func (s *Site) Rows(rows *Node) *Node { return mix(BitwiseXor(mix(rows), s.keys.rows)) }

// Columns hashes column positions (uint32, any shape) for [Site.Compare].
func (s *Site) Columns(columns *Node) *Node {
	return s.step(mix(BitwiseXor(mix(columns), Const(columns.Graph(), s.place))))
}

// step brings the seed into the hash of a column and of the place.
func (s *Site) step(columns *Node) *Node {
	h := Mul(Add(columns, s.keys.columns), Const(columns.Graph(), uint32(0x21f0aaad)))
	return BitwiseXor(h, BitwiseShiftRightLogicalScalar(h, uint32(15)))
}

// Compare is [Site.Keep] on hashed positions, the part that is done for every element.
func (s *Site) Compare(rows, columns *Node) *Node {
	h := BitwiseXor(rows, columns)
	h = Mul(h, Const(h.Graph(), uint32(0x21f0aaad)))
	h = BitwiseXor(h, BitwiseShiftRightLogical(h, Const(h.Graph(), uint32(15))))
	h = Mul(h, Const(h.Graph(), uint32(0x735a2d97)))
	return LessThan(h, Const(h.Graph(), threshold(s.rate)))
}

// AllRows is [Site.Rows] of 0, 1, 2, … in the given shape. Sites share it where their shapes are equal, and XLA computes it once.
func (s *Site) AllRows(g *Graph, dims ...int) *Node {
	rows, _ := g.State(rowsKey{}).(map[string]*Node)
	if rows == nil {
		rows = map[string]*Node{}
		g.AttachState(rowsKey{}, rows)
	}
	key := fmt.Sprint(dims)
	if rows[key] == nil {
		rows[key] = OptimizationBarrier(s.Rows(IotaFull(g, shapes.Make(dtypes.Uint32, dims...))))
	}
	return rows[key]
}

// AllColumns is [Site.Columns] of 0, 1, 2, … count−1, of the given rank with all axes but the last 1. What does not depend on the
// step is computed here: sites then differ by an array of data and not by their code, which XLA compiles once for all of them.
func (s *Site) AllColumns(g *Graph, rank, count int) *Node {
	hashes := make([]uint32, count)
	for i := range hashes {
		hashes[i] = hash(hash(uint32(i)) ^ s.place)
	}
	dims := slices.Repeat([]int{1}, rank)
	dims[rank-1] = count
	return s.step(Const(g, tensors.FromFlatDataAndDimensions(hashes, dims...)))
}

// KeepLike is the mask of all of x; its last axis are the columns, the others together the rows.
func (s *Site) KeepLike(x *Node) *Node {
	g, dims := x.Graph(), x.Shape().Dimensions
	if len(dims) == 0 {
		zero := Const(g, uint32(0))
		return s.Keep(zero, zero)
	}
	rows := slices.Clone(dims)
	rows[len(dims)-1] = 1
	return s.Compare(s.AllRows(g, rows...), s.AllColumns(g, len(dims), dims[len(dims)-1]))
}

// Scale is what kept elements are multiplied by, 1/(1−rate).
func (s *Site) Scale() float64 { return 1 / (1 - s.rate) }

// Drop is x scaled where keep is true, and 0 elsewhere. Both have the same shape.
func (s *Site) Drop(x, keep *Node) *Node {
	return Where(keep, MulScalar(x, s.Scale()), ScalarZero(x.Graph(), x.DType()))
}

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

// hash is mix on the host.
func hash(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x21f0aaad
	x ^= x >> 15
	x *= 0x735a2d97
	return x ^ x>>15
}

// Positions counts from start over one axis of a shape with the given dimensions: the rows or columns of a block.
func Positions(g *Graph, start uint32, axis int, dims ...int) *Node {
	counted := Iota(g, shapes.Make(dtypes.Uint32, dims...), axis)
	return Add(counted, Const(g, start))
}
