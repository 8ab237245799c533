package snapshot

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// These tensors list paths of variables, as JSON: those that are not trainable, and all in the order in which they were made, which
// is that of a graph's outputs: a graph that is built over restored variables is then the same, and need not be compiled again. They
// look like paths so that they go wherever the variables go; like GoMLX's own state they begin with #.
const (
	frozenKey = "/#frozen"
	orderKey  = "/#order"
)

// codes are safetensors' names of the types that variables have.
var codes = map[dtypes.DType]string{
	dtypes.Float32: "F32", dtypes.Float64: "F64", dtypes.Float16: "F16", dtypes.BFloat16: "BF16", dtypes.Complex64: "C64",
	dtypes.Int64: "I64", dtypes.Int32: "I32", dtypes.Int16: "I16", dtypes.Int8: "I8",
	dtypes.Uint64: "U64", dtypes.Uint32: "U32", dtypes.Uint16: "U16", dtypes.Uint8: "U8", dtypes.Bool: "BOOL",
}

// Capture copies every variable of a store, by path, and two more tensors that tell which of them are not trainable, and their order.
func Capture(store *model.Store) (map[string]safetensors.Tensor, error) {
	all := map[string]safetensors.Tensor{}
	frozen, order := []string{}, []string{}
	for v := range store.IterVariables() {
		t, err := captured(v)
		if err != nil {
			return nil, fmt.Errorf("snapshot: variable %s: %w", v.Path(), err)
		}
		all[v.Path()] = t
		order = append(order, v.Path())
		if !v.Trainable {
			frozen = append(frozen, v.Path())
		}
	}
	slices.Sort(frozen)
	return all, errors.Join(putPaths(all, frozenKey, frozen), putPaths(all, orderKey, order))
}

func putPaths(all map[string]safetensors.Tensor, key string, paths []string) error {
	text, err := json.Marshal(paths)
	if err != nil {
		return fmt.Errorf("snapshot: %w", err)
	}
	all[key] = safetensors.Tensor{DType: "U8", Shape: []int{len(text)}, Data: text}
	return nil
}

// takePaths is the reverse; recorded is false where there is no such list.
func takePaths(all map[string]safetensors.Tensor, key string) (paths []string, recorded bool, err error) {
	t, recorded := all[key]
	if recorded {
		if err := json.Unmarshal(t.Data, &paths); err != nil {
			return nil, false, fmt.Errorf("snapshot: %s: %w", key, err)
		}
	}
	return paths, recorded, nil
}

func captured(v *model.Variable) (safetensors.Tensor, error) {
	t := safetensors.Tensor{DType: codes[v.DType()], Shape: slices.Clone(v.Shape().Dimensions)}
	if t.DType == "" {
		return t, fmt.Errorf("%s cannot be kept", v.Shape())
	}
	if !v.HasValue() {
		return t, errors.New("has no value yet: run the model once, or initialise its variables")
	}
	value, err := v.Value()
	if err != nil {
		return t, err
	}
	return t, value.ConstBytes(func(content []byte) { t.Data = slices.Clone(content) })
}

// Restore sets the variables of a store to what [Capture] returned, or a part of it.
//
// In an empty store every variable is made, with the trainable flag it had, so that a graph built later finds them. Variables
// that exist keep their own flag and must have the shape and type that is restored; there, variables that only one side has
// are errors too, unless they are not trainable and only the checkpoint has them, as an optimiser's before its first step.
// An error lists the paths, and nothing was set.
//
// Tensors that Capture did not make say nothing of flags: of these, variables whose name begins with # are not trainable.
func Restore(store *model.Store, all map[string]safetensors.Tensor) error {
	values, err := decode(all)
	if err != nil {
		return err
	}
	isFrozen, err := frozenOnes(all)
	if err != nil {
		return err
	}
	order, _, err := takePaths(all, orderKey)
	if err != nil {
		return err
	}
	existing := map[string]*model.Variable{}
	for v := range store.IterVariables() {
		existing[v.Path()] = v
	}
	if err := compare(existing, values, isFrozen); err != nil {
		return err
	}
	for _, path := range ordered(values, order) {
		if v := existing[path]; v == nil {
			store.VariableWithValue(path, values[path]).SetTrainable(!isFrozen(path))
		} else if err := v.SetValue(values[path]); err != nil {
			return fmt.Errorf("snapshot: variable %s: %w", path, err)
		}
	}
	return nil
}

// ordered are the paths of values in the order that was kept, then the others in that of the alphabet.
func ordered(values map[string]*tensors.Tensor, order []string) []string {
	known, rest := map[string]bool{}, []string{}
	kept := slices.DeleteFunc(order, func(path string) bool {
		again := known[path]
		known[path] = true
		return again || values[path] == nil
	})
	for path := range values {
		if !known[path] {
			rest = append(rest, path)
		}
	}
	slices.Sort(rest)
	return append(kept, rest...)
}

// frozenOnes tells by its path whether a variable is to be made not trainable.
func frozenOnes(all map[string]safetensors.Tensor) (func(path string) bool, error) {
	paths, recorded, err := takePaths(all, frozenKey)
	if err != nil {
		return nil, err
	}
	return func(path string) bool {
		if recorded {
			return slices.Contains(paths, path)
		}
		return strings.HasPrefix(model.BasePath(path), "#")
	}, nil
}

// compare finds what does not fit between the variables of a store that is not empty and those of a checkpoint.
func compare(existing map[string]*model.Variable, values map[string]*tensors.Tensor, isFrozen func(string) bool) error {
	if len(existing) == 0 {
		return nil
	}
	var missing, extra, different []string
	for path, v := range existing {
		if value := values[path]; value == nil {
			missing = append(missing, path)
		} else if !v.Shape().Equal(value.Shape()) {
			different = append(different, fmt.Sprintf("%s (%s in the model, %s in the checkpoint)", path, v.Shape(), value.Shape()))
		}
	}
	for path := range values {
		if existing[path] == nil && !isFrozen(path) {
			extra = append(extra, path)
		}
	}
	var found []string
	for what, paths := range map[string][]string{"lacks": missing, "has, and the model has not,": extra, "differs in shape at": different} {
		if len(paths) > 0 {
			slices.Sort(paths)
			found = append(found, what+" "+strings.Join(paths, ", "))
		}
	}
	if len(found) == 0 {
		return nil
	}
	slices.Sort(found)
	return fmt.Errorf("snapshot: the checkpoint is of another model: it %s; use the configuration that was trained", strings.Join(found, "; it "))
}

// decode makes every tensor a value of GoMLX.
func decode(all map[string]safetensors.Tensor) (map[string]*tensors.Tensor, error) {
	values := map[string]*tensors.Tensor{}
	for path, t := range all {
		if path == frozenKey || path == orderKey {
			continue
		}
		if !strings.HasPrefix(path, model.ScopeSeparator) {
			return nil, fmt.Errorf("snapshot: %q is not the path of a variable, which begins with %s", path, model.ScopeSeparator)
		}
		value, err := decoded(t)
		if err != nil {
			return nil, fmt.Errorf("snapshot: variable %s: %w", path, err)
		}
		values[path] = value
	}
	return values, nil
}

func decoded(t safetensors.Tensor) (*tensors.Tensor, error) {
	if err := t.Check(); err != nil {
		return nil, err
	}
	if t.DType == "BOOL" && slices.ContainsFunc(t.Data, func(b byte) bool { return b > 1 }) {
		return nil, errors.New("a BOOL is neither 0 nor 1")
	}
	for dtype, code := range codes {
		if code == t.DType {
			value := tensors.FromShape(shapes.Make(dtype, t.Shape...))
			return value, value.MutableBytes(func(content []byte) { copy(content, t.Data) })
		}
	}
	return nil, fmt.Errorf("%s is not a type of variables", t.DType)
}
