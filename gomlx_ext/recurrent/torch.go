package recurrent

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// torchNames maps torch's parameters to this package's variables. The gates' order is the same, matrices are transposed.
var torchNames = map[string]string{
	"weight_ih_l0": "weights_x", "weight_hh_l0": "weights_h", "bias_ih_l0": "bias_x", "bias_hh_l0": "bias_h",
}

// LoadTorch sets the variables of a layer in scope from those of a one-layer torch.nn.GRU or torch.nn.LSTM, under torch's
// names: float32 weight_ih_l0 [G·h, d], weight_hh_l0 [G·h, h], bias_ih_l0 and bias_hh_l0 [G·h], and the same with _reverse
// for the other direction where there is one. Other entries are ignored.
//
// A missing parameter, or one of another shape or dtype, is an error, and then nothing is set.
func LoadTorch(scope *model.Scope, parameters map[string]*tensors.Tensor) error {
	suffixes := map[string]string{"forward": ""}
	if parameters["weight_ih_l0_reverse"] != nil {
		suffixes["reverse"] = "_reverse"
	}
	loaded := map[string]*tensors.Tensor{} // by the variable's path
	for _, direction := range slices.Sorted(maps.Keys(suffixes)) {
		for _, name := range slices.Sorted(maps.Keys(torchNames)) {
			path := model.JoinPath(scope.Scope(), direction, torchNames[name])
			value, err := fromTorch(parameters, name+suffixes[direction])
			if err != nil {
				return err
			}
			if v := scope.Store().GetVariable(path); v != nil && !v.Shape().Equal(value.Shape()) {
				return fmt.Errorf("%s gives %s for %s, which is %s", name+suffixes[direction], value.Shape(), path, v.Shape())
			}
			loaded[path] = value
		}
	}
	return setAll(scope.Store(), loaded)
}

func setAll(store *model.Store, values map[string]*tensors.Tensor) error {
	for path, value := range values {
		v := store.GetVariable(path)
		if v == nil {
			store.VariableWithValue(path, value)
		} else if err := v.SetValue(value); err != nil {
			return err
		}
	}
	return nil
}

// fromTorch is the named parameter as this package keeps it, matrices transposed.
func fromTorch(parameters map[string]*tensors.Tensor, name string) (*tensors.Tensor, error) {
	value := parameters[name]
	if value == nil {
		return nil, fmt.Errorf("parameter %s is missing: a torch.nn.GRU or LSTM with bias has it", name)
	}
	if value.DType() != dtypes.Float32 || value.Rank() < 1 || value.Rank() > 2 {
		return nil, fmt.Errorf("parameter %s must be a float32 vector or matrix, got %s", name, value.Shape())
	}
	if value.Rank() == 1 {
		return value.LocalClone()
	}
	flat, err := tensors.CopyFlatData[float32](value)
	if err != nil {
		return nil, err
	}
	rows, columns := value.Shape().Dim(0), value.Shape().Dim(1)
	transposed := make([]float32, len(flat))
	for i, x := range flat {
		transposed[i%columns*rows+i/columns] = x
	}
	return tensors.FromFlatDataAndDimensions(transposed, columns, rows), nil
}
