package hostinit_test

import (
	"fmt"
	"math"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/hostinit"
)

// draw returns 1000 values of the variable at scope/name in a new store with the given seed.
func draw(seed int64, scope, name string) []float32 {
	store := model.NewStore()
	store.RootScope().SetParam(hostinit.ParamSeed, seed)
	return values(hostinit.Uniform(store.Scope(scope), name, 0.5, 10, 100))
}

func values(v *model.Variable) []float32 { return tensors.MustCopyFlatData[float32](v.MustValue()) }

func TestSeedAndPathGiveTheValues(t *testing.T) {
	want := draw(7, "layer", "weights")
	require.Equal(t, want, draw(7, "layer", "weights"))
	require.NotEqual(t, want, draw(8, "layer", "weights"), "another seed")
	require.NotEqual(t, want, draw(7, "layer", "biases"), "another name")
	require.NotEqual(t, want, draw(7, "other", "weights"), "another scope")
}

func TestOrderOfCreationDoesNotMatter(t *testing.T) {
	names := []string{"a", "b", "c"}
	want := map[string][]float32{}
	for _, name := range names {
		want[name] = draw(0, "layer", name)
	}
	store := model.NewStore()
	for _, name := range []string{"c", "a", "b"} {
		require.Equal(t, want[name], values(hostinit.Uniform(store.Scope("layer"), name, 0.5, 10, 100)))
	}
}

func TestASeedOfAScopeHoldsBelowIt(t *testing.T) {
	store := model.NewStore()
	store.Scope("layer").SetParam(hostinit.ParamSeed, int64(3))
	require.Equal(t, draw(3, "layer/inner", "w"), values(hostinit.Uniform(store.Scope("layer/inner"), "w", 0.5, 10, 100)))
}

func TestValuesAreUniformWithinTheBound(t *testing.T) {
	var sum, squares float64
	drawn := draw(1, "layer", "weights")
	for _, value := range drawn {
		require.LessOrEqual(t, math.Abs(float64(value)), 0.5)
		sum += float64(value)
		squares += float64(value) * float64(value)
	}
	n := float64(len(drawn))
	require.InDelta(t, 0, sum/n, 4*math.Sqrt(1.0/12/n), "four standard errors")
	require.InDelta(t, 1.0/12, squares/n, 4*math.Sqrt(1.0/180/n), "four standard errors")
}

func TestFanInIsTorchsBound(t *testing.T) {
	require.Equal(t, 0.125, hostinit.FanIn(64))
	require.Equal(t, 1.0, hostinit.FanIn(0))
}

func TestConstantFills(t *testing.T) {
	require.Equal(t, []float32{2, 2, 2}, values(hostinit.Constant(model.NewStore().RootScope(), "scale", 2, 3)))
}

func TestAVariableThatIsThereIsKept(t *testing.T) {
	scope := model.NewStore().Scope("layer")
	scope.VariableWithValue("weights", []float32{1, 2})
	require.Equal(t, []float32{1, 2}, values(hostinit.Uniform(scope, "weights", 0.5, 2)))
	require.PanicsWithError(t, "hostinit: /layer/weights is (Float32)[2], where float32 [3] is wanted",
		func() { hostinit.Uniform(scope, "weights", 0.5, 3) })
}

func TestBackendsStartFromTheSameValues(t *testing.T) {
	for _, name := range []string{"go", "xla:cpu"} {
		backend, _, err := device.Open(name)
		if err != nil {
			t.Logf("no %s: %v", name, err)
			continue
		}
		exec := model.MustNewExec(backend, model.NewStore(), func(scope *model.Scope, g *Graph) *Node {
			return hostinit.Uniform(scope.In("layer"), "weights", 0.5, 10, 100).NodeValue(g)
		})
		require.Equal(t, draw(0, "layer", "weights"), tensors.MustCopyFlatData[float32](exec.MustCall1()), name)
	}
}

func ExampleUniform() {
	store := model.NewStore()
	store.RootScope().SetParam(hostinit.ParamSeed, int64(42))
	weights := hostinit.Uniform(store.Scope("dense"), "weights", hostinit.FanIn(4), 4, 2)
	fmt.Println(weights.Path(), weights.Shape())
	// Output: /dense/weights (Float32)[4, 2]
}

func TestNeighbouringSeedsAreUncorrelated(t *testing.T) {
	for seed := range int64(20) {
		var correlation float64
		other := draw(seed+1, "layer", "weights")
		for i, value := range draw(seed, "layer", "weights") {
			correlation += float64(value*other[i]) * 12 / float64(len(other))
		}
		require.Less(t, math.Abs(correlation), 4/math.Sqrt(float64(len(other))))
	}
}

func TestRedrawIsANewModelUnderTheNewSeed(t *testing.T) {
	store := model.NewStore()
	store.RootScope().SetParam(hostinit.ParamSeed, int64(1))
	v := hostinit.Uniform(store.Scope("/layer"), "weights", 1, 3)
	require.NoError(t, v.SetValue(tensors.FromValue([]float32{7, 8, 9})))
	store.RootScope().SetParam(hostinit.ParamSeed, int64(2))
	require.NoError(t, hostinit.Redraw(store))

	fresh := model.NewStore()
	fresh.RootScope().SetParam(hostinit.ParamSeed, int64(2))
	require.Equal(t, values(hostinit.Uniform(fresh.Scope("/layer"), "weights", 1, 3)), values(v))
}
