package adam_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/adam"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

const golden = "testdata/adam.safetensors"

func optimiser(t *testing.T) *adam.Optimiser {
	o, err := adam.New(adam.Group{Rate: 0.01}, adam.Group{Prefixes: []string{"/first/"}, Rate: 0.05, Decay: 0.1})
	require.NoError(t, err)
	return o
}

// loss of the golden script, over batches x [n, 3].
func loss(scope *model.Scope, x *Node) *Node {
	a := scope.Store().GetVariable("/first/a").NodeValue(x)
	b := scope.Store().GetVariable("/second/b").NodeValue(x)
	wide := BroadcastToDims(InsertAxes(b, 0), x.Shape().Dimensions...)
	first := ReduceAllSum(Square(Mul(BroadcastToDims(InsertAxes(a, 0), x.Shape().Dimensions...), x)))
	return Add(first, ReduceAllSum(Square(Square(Sub(wide, x)))))
}

// play runs the golden file's steps and checks a and b after each of them.
func play(t *testing.T, step func(batches []float32, first, second float32, store *model.Store)) {
	f, err := safetensors.ReadFile(golden)
	require.NoError(t, err)
	read := func(name string) []float32 {
		values, _, err := f.Float32(name)
		require.NoError(t, err)
		return values
	}
	store := model.NewStore()
	store.VariableWithValue("/first/a", read("a"))
	store.VariableWithValue("/second/b", read("b"))
	x := read("x")
	for i := range len(x) / 6 {
		first, second := adam.Correction(i + 1)
		step(x[6*i:6*i+6], first, second, store)
		for path, name := range map[string]string{"/first/a": "a_after", "/second/b": "b_after"} {
			got := tensors.MustCopyFlatData[float32](store.GetVariable(path).MustValue())
			assert.InDeltaSlice(t, read(name)[3*i:3*i+3], got, 1e-6, "%s after step %d", path, i+1)
		}
	}
}

func TestStepEqualsPyTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		o := optimiser(t)
		var exec *model.Exec
		play(t, func(batches []float32, first, second float32, store *model.Store) {
			var err error
			if exec == nil {
				exec, err = model.NewExec(backend, store, func(scope *model.Scope, x, first, second *Node) *Node {
					l := loss(scope, x)
					o.Step(scope, l, first, second)
					return l
				})
				require.NoError(t, err)
			}
			_, err = exec.Exec(tensors.FromFlatDataAndDimensions(batches, 2, 3), first, second)
			require.NoError(t, err)
		})
	})
}

func TestSummedGradientsEqualPyTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		o := optimiser(t)
		var accumulate, apply *model.Exec
		play(t, func(batches []float32, first, second float32, store *model.Store) {
			var err error
			if accumulate == nil {
				accumulate, err = model.NewExec(backend, store, func(scope *model.Scope, x *Node) *Node {
					l := loss(scope, x)
					o.Accumulate(scope, l)
					return l
				})
				require.NoError(t, err)
				apply, err = model.NewExec(backend, store, func(scope *model.Scope, first, second *Node) *Node {
					o.Apply(scope, first, second)
					return first
				})
				require.NoError(t, err)
				// What was summed before Clear must leave no trace.
				_, err = accumulate.Exec(tensors.FromFlatDataAndDimensions([]float32{7, 8, 9}, 1, 3))
				require.NoError(t, err)
				require.NoError(t, adam.Clear(store.RootScope()))
			}
			for i := range 2 {
				_, err := accumulate.Exec(tensors.FromFlatDataAndDimensions(batches[3*i:3*i+3], 1, 3))
				require.NoError(t, err)
			}
			_, err = apply.Exec(first, second)
			require.NoError(t, err)
		})
	})
}

func TestGroupsMustCoverEverythingOnce(t *testing.T) {
	_, err := adam.New(adam.Group{Prefixes: []string{"/a"}, Rate: 1})
	assert.ErrorContains(t, err, "0 groups without prefixes")
	_, err = adam.New(adam.Group{Rate: 1}, adam.Group{Rate: 2})
	assert.ErrorContains(t, err, "2 groups without prefixes")
	_, err = adam.New(adam.Group{Rate: 0})
	assert.ErrorContains(t, err, "use a positive rate")
}

func ExampleCorrection() {
	fmt.Println(adam.Correction(1))
	// Output: 10 31.622776
}
