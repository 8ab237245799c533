package snapshot

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// codes are safetensors' names of the types that variables have.
var codes = map[dtypes.DType]string{
	dtypes.Float32: "F32", dtypes.Float64: "F64", dtypes.Float16: "F16", dtypes.BFloat16: "BF16",
	dtypes.Int64: "I64", dtypes.Int32: "I32", dtypes.Uint64: "U64", dtypes.Uint32: "U32", dtypes.Uint8: "U8", dtypes.Bool: "BOOL",
}

// Capture copies every variable of a store, by path.
func Capture(store *model.Store) (map[string]safetensors.Tensor, error) {
	all := map[string]safetensors.Tensor{}
	for v := range store.IterVariables() {
		code, ok := codes[v.DType()]
		if !ok {
			return nil, fmt.Errorf("snapshot: %s is %s, which cannot be kept", v.Path(), v.Shape())
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("snapshot: %s: %w", v.Path(), err)
		}
		t := safetensors.Tensor{DType: code, Shape: slices.Clone(v.Shape().Dimensions)}
		if err := value.ConstBytes(func(content []byte) { t.Data = slices.Clone(content) }); err != nil {
			return nil, fmt.Errorf("snapshot: %s: %w", v.Path(), err)
		}
		all[v.Path()] = t
	}
	return all, nil
}

// Restore sets the variables of a store. Those that exist keep their trainable flags, which GoMLX's own checkpoints forget,
// and must have the shape and type that is restored. Those that do not are made: trainable, unless their first scope is among
// frozen ("adam" for an optimiser's state), so that a graph built later finds them. It is an error, and then nothing is set,
// if a variable of the store is missing among the tensors.
func Restore(store *model.Store, all map[string]safetensors.Tensor, frozen ...string) error {
	values := map[string]*tensors.Tensor{}
	for _, path := range slices.Sorted(maps.Keys(all)) {
		value, err := tensor(all[path])
		if err != nil {
			return fmt.Errorf("snapshot: %s: %w", path, err)
		}
		if v := store.GetVariable(path); v != nil && !v.Shape().Equal(value.Shape()) {
			return fmt.Errorf("snapshot: %s is %s in the model and %s in the checkpoint; use the configuration that was trained", path, v.Shape(), value.Shape())
		}
		values[path] = value
	}
	var missing []string
	for v := range store.IterVariables() {
		if values[v.Path()] == nil {
			missing = append(missing, v.Path())
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fmt.Errorf("snapshot: the checkpoint lacks %s; use the configuration that was trained", strings.Join(missing, ", "))
	}
	return set(store, values, frozen)
}

func set(store *model.Store, values map[string]*tensors.Tensor, frozen []string) error {
	for path, value := range values {
		if v := store.GetVariable(path); v != nil {
			if err := v.SetValue(value); err != nil {
				return fmt.Errorf("snapshot: %s: %w", path, err)
			}
			continue
		}
		first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
		store.VariableWithValue(path, value).SetTrainable(!slices.Contains(frozen, first) && !strings.HasPrefix(first, "#"))
	}
	return nil
}

func tensor(t safetensors.Tensor) (*tensors.Tensor, error) {
	for dtype, code := range codes {
		if code != t.DType {
			continue
		}
		value := tensors.FromShape(shapes.Make(dtype, t.Shape...))
		var err error
		if e := value.MutableBytes(func(content []byte) {
			if copy(content, t.Data) != len(t.Data) || len(content) != len(t.Data) {
				err = fmt.Errorf("%s %v takes %d bytes and %d are there", t.DType, t.Shape, len(content), len(t.Data))
			}
		}); e != nil {
			return nil, e
		}
		return value, err
	}
	return nil, fmt.Errorf("%s is not a type of variables", t.DType)
}
