package snapshot_test

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/hostinit"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
)

// newStep compiles a step of gradient descent with momentum, on a loss with noise from the store's random state.
func newStep(t *testing.T, backend compute.Backend, store *model.Store) func() {
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, x *Node) *Node {
		g := x.Graph()
		weights := hostinit.Uniform(scope.In("layer"), "weights", 1, 3)
		momentum := hostinit.Constant(scope.In("optimiser"), "momentum", 0, 3).SetTrainable(false)
		noise := scope.RandomNormal(g, x.Shape())
		loss := ReduceAllSum(Square(Sub(Mul(weights.NodeValue(g), x), noise)))
		momentum.SetNodeValue(Add(MulScalar(momentum.NodeValue(g), 0.9), scope.BuildTrainableVariablesGradientsGraph(loss)[0]))
		weights.SetNodeValue(Sub(weights.NodeValue(g), MulScalar(momentum.NodeValue(g), 0.01)))
		return loss
	})
	require.NoError(t, err)
	return func() {
		_, err := exec.Exec([]float32{1, 2, 3})
		require.NoError(t, err)
	}
}

func seeded(t *testing.T) *model.Store {
	store := model.NewStore()
	require.NoError(t, store.SetRNGStateFromSeed(42))
	return store
}

func captured(t *testing.T, store *model.Store) map[string]safetensors.Tensor {
	all, err := snapshot.Capture(store)
	require.NoError(t, err)
	return all
}

func TestARestoredRunGoesOnBitByBit(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		whole := seeded(t)
		step := newStep(t, backend, whole)
		step()
		path, err := snapshot.Save(t.TempDir(), "step-1", snapshot.State{Tensors: captured(t, whole)}, 1)
		require.NoError(t, err)
		step()

		saved, err := snapshot.Load(path)
		require.NoError(t, err)
		resumed := model.NewStore()
		require.NoError(t, snapshot.Restore(resumed, saved.Tensors))
		newStep(t, backend, resumed)()
		assert.Equal(t, captured(t, whole), captured(t, resumed))
	})
}

func TestTrainableFlagsAreRestored(t *testing.T) {
	store := seeded(t)
	store.VariableWithValue("/bert/weights", []float32{1, 2}).SetTrainable(false)
	store.VariableWithValue("/head/weights", []float32{3, 4})
	restored := model.NewStore()
	require.NoError(t, snapshot.Restore(restored, captured(t, store)))
	flags := map[string]bool{}
	for v := range restored.IterVariables() {
		flags[v.Path()] = v.Trainable
	}
	assert.Equal(t, map[string]bool{"/#rngState": false, "/bert/weights": false, "/head/weights": true}, flags)
}

func TestVariablesAreRestoredInTheOrderInWhichTheyWereMade(t *testing.T) {
	store := model.NewStore()
	want := []string{"/b", "/c/d", "/a", "/e"}
	for _, path := range want {
		store.VariableWithValue(path, []float32{1})
	}
	all := captured(t, store)
	all["/added"] = safetensors.FromFloat32([]float32{1}, 1) // by hand: it is in no order
	delete(all, "/c/d")
	restored := model.NewStore()
	require.NoError(t, snapshot.Restore(restored, all))
	var got []string
	for v := range restored.IterVariables() {
		got = append(got, v.Path())
	}
	assert.Equal(t, []string{"/b", "/a", "/e", "/added"}, got)
}

func TestVariablesThatExistKeepTheirOwnFlag(t *testing.T) {
	store := model.NewStore()
	store.VariableWithValue("/bert/weights", []float32{1, 2})
	saved := captured(t, store)
	v := store.GetVariable("/bert/weights").SetTrainable(false)
	require.NoError(t, v.SetValue(tensors.FromValue([]float32{0, 0})))
	require.NoError(t, snapshot.Restore(store, saved))
	assert.False(t, v.Trainable)
	assert.Equal(t, []float32{1, 2}, v.MustValue().Value())
}

func TestACaptureIsACopy(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store := seeded(t)
		step := newStep(t, backend, store)
		step()
		before := captured(t, store)
		again := captured(t, store)
		step()
		assert.Equal(t, again, before)
		assert.NotEqual(t, captured(t, store), before)
	})
}

func TestWithoutRecordedFlagsTheRandomStateIsFrozen(t *testing.T) {
	restored := model.NewStore()
	require.NoError(t, snapshot.Restore(restored, map[string]safetensors.Tensor{
		"/#rngState":    {DType: "U64", Shape: []int{3}, Data: make([]byte, 24)},
		"/head/weights": safetensors.FromFloat32([]float32{1}, 1),
	}))
	assert.False(t, restored.GetVariable("/#rngState").Trainable)
	assert.True(t, restored.GetVariable("/head/weights").Trainable)
}

func TestEveryTypeOfVariableIsRestored(t *testing.T) {
	store := model.NewStore()
	for name, value := range map[string]any{
		"f64": []float64{1.5}, "f32": [][]float32{{1}, {2}}, "i8": []int8{-1}, "i16": []int16{-1}, "i32": []int32{-1}, "i64": []int64{-1},
		"u8": []uint8{1}, "u16": []uint16{1}, "u32": []uint32{1}, "u64": []uint64{1 << 63}, "bool": []bool{true, false}, "c64": []complex64{1 + 2i},
		"scalar": float32(3), "empty": tensors.FromShape(shapes.Make(dtypes.Float32, 0, 3)),
	} {
		store.VariableWithValue("/"+name, value)
	}
	restored := model.NewStore()
	require.NoError(t, snapshot.Restore(restored, captured(t, store)))
	for v := range store.IterVariables() {
		again := restored.GetVariable(v.Path())
		require.True(t, v.Shape().Equal(again.Shape()), v.Path())
		assert.Equal(t, v.MustValue().Value(), again.MustValue().Value(), v.Path())
	}
}

func TestAVariableWithoutAValueIsNamed(t *testing.T) {
	store := model.NewStore()
	store.RootScope().In("layer").VariableWithShape("weights", shapes.Make(dtypes.Float32, 2))
	_, err := snapshot.Capture(store)
	assert.ErrorContains(t, err, "variable /layer/weights: has no value yet")
}

func TestWhatDoesNotFitTheModelIsListedAndNothingIsSet(t *testing.T) {
	store := model.NewStore()
	for path, value := range map[string]any{"/same": []float32{1}, "/b": []float32{1}, "/a": []float32{1}, "/wide": []float32{1, 2}, "/kind": []int32{1}} {
		store.VariableWithValue(path, value)
	}
	one := safetensors.FromFloat32([]float32{7}, 1)
	err := snapshot.Restore(store, map[string]safetensors.Tensor{"/same": one, "/wide": one, "/kind": one, "/d": one, "/c": one})
	assert.EqualError(t, err, "snapshot: the checkpoint is of another model: it differs in shape at "+
		"/kind ((Int32)[1] in the model, (Float32)[1] in the checkpoint), /wide ((Float32)[2] in the model, (Float32)[1] in the checkpoint); "+
		"it has, and the model has not, /c, /d; it lacks /a, /b; use the configuration that was trained")
	assert.Equal(t, []float32{1}, store.GetVariable("/same").MustValue().Value())
	assert.Equal(t, 5, store.NumVariables())
}

func TestAnOptimisersStateMayComeBeforeTheOptimiser(t *testing.T) {
	store := model.NewStore()
	store.VariableWithValue("/weights", []float32{1})
	store.VariableWithValue("/adam/mean/weights", []float32{2}).SetTrainable(false)
	fresh := model.NewStore()
	fresh.VariableWithValue("/weights", []float32{0})
	require.NoError(t, snapshot.Restore(fresh, captured(t, store)))
	assert.Equal(t, []float32{2}, fresh.GetVariable("/adam/mean/weights").MustValue().Value())
	assert.False(t, fresh.GetVariable("/adam/mean/weights").Trainable)
}

func TestTensorsThatNoVariableCanHoldAreRefused(t *testing.T) {
	cases := map[string]safetensors.Tensor{
		"takes 8 bytes":              safetensors.FromFloat32([]float32{1}, 2),
		"negative dimension":         safetensors.FromFloat32(nil, -1),
		"overflows":                  safetensors.FromFloat32(nil, 1<<40, 1<<40),
		"neither 0 nor 1":            {DType: "BOOL", Shape: []int{1}, Data: []byte{2}},
		"is not a type of variables": {DType: "F8_E8M0", Shape: []int{1}, Data: []byte{2}},
	}
	for says, tensor := range cases {
		err := snapshot.Restore(model.NewStore(), map[string]safetensors.Tensor{"/weights": tensor})
		assert.ErrorContains(t, err, "variable /weights: ")
		assert.ErrorContains(t, err, says)
	}
	err := snapshot.Restore(model.NewStore(), map[string]safetensors.Tensor{"weights": safetensors.FromFloat32([]float32{1}, 1)})
	assert.ErrorContains(t, err, `"weights" is not the path of a variable`)
}
