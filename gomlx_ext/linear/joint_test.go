package linear_test

import (
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"

	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/linear"
)

// layersOf computes layers a and b of x, and the gradients of Σ a² + 2·Σ sin(b) in x and the four variables.
func layersOf(layers func(scope *model.Scope, x *Node) []*Node) func(scope *model.Scope, x *Node) []*Node {
	return func(scope *model.Scope, x *Node) []*Node {
		y := layers(scope, x)
		loss := Add(ReduceAllSum(Square(y[0])), MulScalar(ReduceAllSum(Sin(y[1])), 2))
		wrt := []*Node{x}
		for _, path := range []string{"/a/weights", "/a/bias", "/b/weights", "/b/bias"} {
			wrt = append(wrt, scope.Store().GetVariable(path).NodeValue(x))
		}
		return append(y, Gradient(loss, wrt...)...)
	}
}

func TestJointIsDenseOfEachScope(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, x := model.NewStore(), [][][]float32{{{1, -2}, {0.5, 3}}, {{2, 1}, {-1, -1}}}
		apart := model.MustCallOnceN(backend, store, layersOf(func(scope *model.Scope, x *Node) []*Node {
			return []*Node{linear.Dense(scope.In("a"), x, 3), linear.Dense(scope.In("b"), x, 3)}
		}), x)
		joint := model.MustCallOnceN(backend, store, layersOf(func(scope *model.Scope, x *Node) []*Node {
			return linear.Joint(x, 3, scope.In("a"), scope.In("b"))
		}), x)
		for i := range apart {
			assert.Equal(t, apart[i].Shape(), joint[i].Shape())
			assert.InDeltaSlice(t, tensors.MustCopyFlatData[float32](apart[i]), tensors.MustCopyFlatData[float32](joint[i]), 1e-5)
		}
	})
}

// A part that the loss does not see has no adjoint.
func TestJointDifferentiatesWhereOnePartIsUnused(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		gradient := model.MustCallOnce(backend, model.NewStore(), func(scope *model.Scope, x *Node) *Node {
			y := linear.Joint(x, 3, scope.In("a"), scope.In("b"))
			return Gradient(ReduceAllSum(y[0]), scope.Store().GetVariable("/b/weights").NodeValue(x))[0]
		}, [][]float32{{1, 2}})
		assert.Equal(t, [][]float32{{0, 0, 0}, {0, 0, 0}}, gradient.Value())
	})
}
