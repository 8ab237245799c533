package recurrent

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// row is buffer[:, time, stream], [B, w] of a buffer [B, T, S, w], with time a scalar of the graph.
func row(buffer, time *Node, stream int) *Node {
	dims := buffer.Shape().Dimensions
	if !slicesDynamically(buffer.Graph()) {
		return Gather(buffer, rowIndices(buffer, time, stream), true)
	}
	sliced := DynamicSlice(buffer, rowStart(time, stream), []int{dims[0], 1, 1, dims[3]})
	return Reshape(sliced, dims[0], dims[3])
}

// setRow is buffer with buffer[:, time, stream] = value, in place where the backend can. The row must be zero before.
func setRow(buffer, value, time *Node, stream int) *Node {
	dims := buffer.Shape().Dimensions
	if !slicesDynamically(buffer.Graph()) {
		return ScatterSum(buffer, rowIndices(buffer, time, stream), value, true, true)
	}
	return DynamicUpdateSlice(buffer, Reshape(value, dims[0], 1, 1, dims[3]), rowStart(time, stream))
}

// slicesDynamically says whether the backend has DynamicSlice; the pure Go one has not.
func slicesDynamically(g *Graph) bool {
	return g.Backend().Capabilities().Operations[compute.OpTypeDynamicSlice]
}

func rowStart(time *Node, stream int) []*Node {
	zero := Const(time.Graph(), int32(0))
	return []*Node{zero, time, Const(time.Graph(), int32(stream)), zero}
}

// rowIndices is (b, time, stream) for every example b, [B, 3].
func rowIndices(buffer, time *Node, stream int) *Node {
	g := buffer.Graph()
	column := shapes.Make(dtypes.Int32, buffer.Shape().Dim(0), 1)
	return Concatenate([]*Node{
		Iota(g, column, 0),
		BroadcastToShape(time, column),
		BroadcastToShape(Const(g, int32(stream)), column),
	}, 1)
}
