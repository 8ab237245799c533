package inplace_test

import (
	"reflect"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/inplace"
	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
)

// sums steps two variables: a ← a + 2b, b ← a + b, both from the old values; c stays.
func sums(t *testing.T, backend compute.Backend, mark bool) (store *model.Store, step func(), marked *int) {
	t.Helper()
	store, marked = model.NewStore(), new(int)
	for i, path := range []string{"/a", "/b", "/c"} {
		store.VariableWithValue(path, []float32{float32(i + 1), float32(10 * i), 3})
	}
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, zero *Node) *Node {
		a, b, c := scope.Store().GetVariable("/a"), scope.Store().GetVariable("/b"), scope.Store().GetVariable("/c")
		oldA, oldB := a.NodeValue(zero), b.NodeValue(zero)
		a.SetNodeValue(Add(oldA, MulScalar(oldB, 2)))
		b.SetNodeValue(Add(oldA, oldB))
		if mark {
			*marked = inplace.Variables(scope.Store(), zero.Graph())
		}
		return Add(zero, ReduceAllSum(c.NodeValue(zero)))
	})
	require.NoError(t, err)
	return store, func() { exec.MustCall(float32(0)) }, marked
}

func floats(store *model.Store, path string) []float32 {
	return tensors.MustCopyFlatData[float32](store.GetVariable(path).MustValue())
}

func TestMarkingChangesNoValue(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store, step, _ := sums(t, backend, true)
		a, b := floats(store, "/a"), floats(store, "/b")
		for range 4 {
			held := floats(store, "/a")
			step()
			for i := range a {
				a[i], b[i] = a[i]+2*b[i], a[i]+b[i]
			}
			assert.NotEqual(t, held, floats(store, "/a"))
			assert.Equal(t, a, floats(store, "/a"))
			assert.Equal(t, b, floats(store, "/b"))
			assert.Equal(t, []float32{3, 20, 3}, floats(store, "/c"))
		}
	})
}

// A changed variable stays where it is in memory if and only if it is marked.
func TestXLAWritesInPlace(t *testing.T) {
	backend, _, err := device.Open("xla:cpu")
	if err != nil {
		t.Skipf("no XLA here: %v", err)
	}
	for _, mark := range []bool{true, false} {
		store, step, marked := sums(t, backend, mark)
		step() // from the host's values
		before := []uintptr{address(t, backend, store, "/a"), address(t, backend, store, "/b")}
		step()
		after := []uintptr{address(t, backend, store, "/a"), address(t, backend, store, "/b")}
		if mark {
			assert.Equal(t, 2, *marked)
			assert.Equal(t, before, after)
		} else {
			assert.NotEqual(t, before, after)
		}
	}
}

// address is where XLA holds a variable.
func address(t *testing.T, backend compute.Backend, store *model.Store, path string) uintptr {
	t.Helper()
	buffer, err := store.GetVariable(path).MustValue().Buffer(backend, 0)
	require.NoError(t, err)
	flat, err := buffer.Data()
	require.NoError(t, err)
	return reflect.ValueOf(flat).Pointer()
}
