package attention

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// blockElements is how many scores a block holds at most: 4 MB, of which several arrays fit in the caches.
const blockElements = 1 << 20

// blockSize is how many of the n pairs of example and head, of so many scores each, are done together.
func blockSize(g *Graph, n, scores int) int {
	if !g.Backend().Capabilities().Operations[compute.OpTypeDynamicSlice] { // pure Go
		return n
	}
	size := max(1, min(n, blockElements/max(1, scores)))
	for n%size != 0 {
		size--
	}
	return size
}

// eachBlock applies body to blocks of so many rows of sliced, one after the other, and puts the blocks of its results
// together, which have the shapes out. Every block sees all of shared.
func eachBlock(size int, sliced, shared []*Node, out []shapes.Shape, body func(sliced, shared []*Node) []*Node) []*Node {
	rows := sliced[0].Shape().Dim(0)
	if size == rows {
		return body(sliced, shared)
	}
	g := sliced[0].Graph()
	state := append([]*Node{Const(g, int32(0))}, append(append([]*Node{}, sliced...), shared...)...)
	resultsAt := len(state)
	for _, shape := range out {
		state = append(state, Zeros(g, shape))
	}
	more := NewClosure(g, func(g *Graph) []*Node {
		return []*Node{LessThan(parameters(g, state)[0], Const(g, int32(rows)))}
	})
	step := NewClosure(g, func(g *Graph) []*Node {
		now := parameters(g, state)
		block := make([]*Node, len(sliced))
		for i := range block {
			block[i] = blockAt(now[1+i], now[0], size)
		}
		next := append([]*Node{}, now...)
		next[0] = Add(now[0], Const(g, int32(size)))
		for i, result := range body(block, now[1+len(sliced):resultsAt]) {
			next[resultsAt+i] = DynamicUpdateSlice(now[resultsAt+i], result, starts(result, now[0]))
		}
		return next
	})
	return While(more, step, state...)[resultsAt:]
}

// parameters declares a closure's parameters, one for each entry of the loop's state. XLA's closures cannot capture.
func parameters(g *Graph, state []*Node) []*Node {
	out := make([]*Node, len(state))
	for i, node := range state {
		out[i] = Parameter(g, fmt.Sprintf("state_%d", i), node.Shape())
	}
	return out
}

// blockAt is x[row : row+size].
func blockAt(x, row *Node, size int) *Node {
	dims := append([]int{size}, x.Shape().Dimensions[1:]...)
	return DynamicSlice(x, starts(x, row), dims)
}

func starts(x, row *Node) []*Node {
	out := []*Node{row}
	for range x.Rank() - 1 {
		out = append(out, Const(row.Graph(), int32(0)))
	}
	return out
}
