package customgrad_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/customgrad"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
)

// gradient is that of f at x.
func gradient(t *testing.T, backend compute.Backend, f func(x *Node) *Node, x any) any {
	t.Helper()
	return try(t, backend, f, x).Value()
}

func try(t *testing.T, backend compute.Backend, f func(x *Node) *Node, x any) *tensors.Tensor {
	t.Helper()
	exec, err := NewExec(backend, func(x *Node) *Node { return Gradient(f(x), x)[0] })
	require.NoError(t, err)
	got, err := exec.Call1(x)
	require.NoError(t, err)
	return got
}

// tripled is sin(x) whose gradient is said to be 3.
func tripled(x *Node) *Node {
	y := Sin(x)
	customgrad.Set(y, func(_ *Node, adjoints []*Node) []*Node { return []*Node{MulScalar(adjoints[0], 3)} })
	return y
}

func TestANodesOwnGradientIsUsed(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		require.Equal(t, float32(6), gradient(t, backend, func(x *Node) *Node { return MulScalar(tripled(x), 2) }, float32(1)))
	})
}

func TestOtherNodesOfTheTypeKeepTheirs(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		require.Equal(t, float32(3+1), gradient(t, backend, func(x *Node) *Node { return Add(tripled(x), Sin(x)) }, float32(0)))
	})
}

func TestTwoNodesOfATypeHaveEachTheirOwn(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		times := func(x *Node, factor float64) *Node {
			y := Neg(x)
			customgrad.Set(y, func(_ *Node, adjoints []*Node) []*Node { return []*Node{MulScalar(adjoints[0], factor)} })
			return y
		}
		require.Equal(t, float32(40), gradient(t, backend, func(x *Node) *Node { return times(times(x, 5), 8) }, float32(2)))
	})
}

func TestANilEntryStopsTheGradient(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		onlySecond := func(x *Node) *Node {
			y := Mul(x, Square(x))
			customgrad.Set(y, func(node *Node, adjoints []*Node) []*Node { return []*Node{nil, Mul(adjoints[0], node.Inputs()[0])} })
			return y
		}
		require.Equal(t, float32(3*2*3), gradient(t, backend, onlySecond, float32(3)))
	})
}

// power is x^8 by a loop whose gradient is given.
func power(x *Node) *Node {
	out := squaredThrice(x)
	customgrad.Set(out[0].Inputs()[0], func(node *Node, adjoints []*Node) []*Node {
		return []*Node{nil, Mul(adjoints[1], MulScalar(PowScalar(node.Inputs()[1], 7), 8))}
	})
	return out[1]
}

// squaredThrice is a loop of three rounds and what it makes of x, x^8. GoMLX has no gradient for it.
func squaredThrice(x *Node) []*Node {
	g := x.Graph()
	state := []*Node{Const(g, int32(0)), x}
	closure := func(f func(i, x *Node) []*Node) *Function {
		return NewClosure(g, func(g *Graph) []*Node {
			return f(Parameter(g, "i", state[0].Shape()), Parameter(g, "x", x.Shape()))
		})
	}
	return While(
		closure(func(i, _ *Node) []*Node { return []*Node{LessThan(i, Const(i.Graph(), int32(3)))} }),
		closure(func(i, x *Node) []*Node { return []*Node{Add(i, Const(i.Graph(), int32(1))), Mul(x, x)} }), state...)
}

func TestALoopCanHaveAGradient(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		require.InDelta(t, 8*128, gradient(t, backend, power, float32(2)), 1e-3)
	})
}

func TestWithoutOneItIsStillAnError(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		exec, err := NewExec(backend, func(x *Node) *Node { return Gradient(squaredThrice(x)[1], x)[0] })
		require.NoError(t, err)
		_, err = exec.Call1(float32(2))
		require.ErrorContains(t, err, "no gradient is defined")
	})
}

func TestGraphsDoNotShareGradients(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		require.Equal(t, float32(3), gradient(t, backend, tripled, float32(0)))
		require.Equal(t, float32(1), gradient(t, backend, Sin, float32(0)))
	})
}

func TestGraphsCanBeBuiltSideBySide(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	var group sync.WaitGroup
	results := make([]float32, 16)
	for i := range results {
		group.Go(func() {
			exec := MustNewExec(backend, func(x *Node) *Node {
				y := Sin(x)
				customgrad.Set(y, func(_ *Node, adjoints []*Node) []*Node { return []*Node{MulScalar(adjoints[0], i)} })
				return Gradient(ReduceAllSum(y), x)[0]
			})
			results[i] = tensors.ToScalar[float32](exec.MustCall(float32(0))[0])
		})
	}
	group.Wait()
	for i, result := range results {
		require.Equal(t, float32(i), result)
	}
}

func Example() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	// Rounding as a straight-through estimator: its gradient is taken to be 1.
	exec := MustNewExec(backend, func(x *Node) *Node {
		rounded := Round(x)
		customgrad.Set(rounded, func(_ *Node, adjoints []*Node) []*Node { return adjoints })
		return Gradient(ReduceAllSum(Mul(rounded, x)), x)[0]
	})
	fmt.Println(exec.MustCall([]float32{-2.25, 3})[0])
	// Output: [2]float32{-4.25, 6}
}
