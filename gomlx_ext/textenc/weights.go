package textenc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/hostinit"
)

// kind says how a weight starts in a random model, and how it lies in memory.
type kind int

const (
	table  kind = iota // of embeddings: normal
	matrix             // [out, in] in the checkpoint, [in, out] here, which XLA multiplies fastest by: normal
	gain               // ones
	offset             // zeros
)

// weight is one tensor of the checkpoint.
type weight struct {
	name  string // transformers', without a prefix
	kind  kind
	shape []int // the checkpoint's
}

// weights lists what a checkpoint must hold.
func (c Config) weights() []weight {
	list := []weight{
		{"embeddings.word_embeddings.weight", table, []int{c.Vocabulary, c.Width}},
		{"embeddings.position_embeddings.weight", table, []int{c.Positions, c.Width}},
		{"embeddings.token_type_embeddings.weight", table, []int{c.Types, c.Width}},
	}
	list = append(list, c.norm("embeddings.LayerNorm")...)
	for i := range c.Layers {
		layer := fmt.Sprintf("encoder.layer.%d.", i)
		for _, name := range []string{"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"} {
			list = append(list, dense(layer+name, c.Width, c.Width)...)
		}
		list = append(list, c.norm(layer+"attention.output.LayerNorm")...)
		list = append(list, dense(layer+"intermediate.dense", c.Hidden, c.Width)...)
		list = append(list, dense(layer+"output.dense", c.Width, c.Hidden)...)
		list = append(list, c.norm(layer+"output.LayerNorm")...)
	}
	return append(list, dense("pooler.dense", c.Width, c.Width)...)
}

func dense(name string, out, in int) []weight {
	return []weight{{name + ".weight", matrix, []int{out, in}}, {name + ".bias", offset, []int{out}}}
}

func (c Config) norm(name string) []weight {
	return []weight{{name + ".weight", gain, []int{c.Width}}, {name + ".bias", offset, []int{c.Width}}}
}

// dims is the shape of the variable.
func (w weight) dims() []int {
	if w.kind == matrix {
		return []int{w.shape[1], w.shape[0]}
	}
	return w.shape
}

// path is that of the variable under scope: dots become slashes.
func (w weight) path(scope *model.Scope) string {
	return model.JoinPath(scope.Scope(), strings.ReplaceAll(w.name, ".", "/"))
}

// variable is the weight's, drawn at random where it is new. One that exists is left to whoever made it: drawing again for the
// next seed must not touch what was loaded.
func (w weight) variable(scope *model.Scope, deviation float64) *model.Variable {
	if v := scope.Store().GetVariable(w.path(scope)); v != nil && slices.Equal(v.Shape().Dimensions, w.dims()) {
		return v
	}
	dir, name := model.SplitPath(w.path(scope))
	within := scope.Store().Scope(dir)
	switch w.kind {
	case gain:
		return hostinit.Constant(within, name, 1, w.dims()...)
	case offset:
		return hostinit.Constant(within, name, 0, w.dims()...)
	}
	return hostinit.Normal(within, name, deviation, w.dims()...)
}

// set gives the weight's variable the values of the checkpoint.
func (w weight) set(scope *model.Scope, values []float32) error {
	if w.kind == matrix {
		values = transposed(values, w.shape[0], w.shape[1])
	}
	value, path := tensors.FromFlatDataAndDimensions(values, w.dims()...), w.path(scope)
	v := scope.Store().GetVariable(path)
	if v == nil {
		scope.Store().VariableWithValue(path, value)
		return nil
	}
	if !v.Shape().Equal(value.Shape()) {
		return fmt.Errorf("textenc: the model already has %s of shape %s, where the checkpoint needs %v", path, v.Shape(), w.dims())
	}
	return v.SetValue(value)
}

// get is the reverse of set.
func (w weight) get(scope *model.Scope) ([]float32, error) {
	v := scope.Store().GetVariable(w.path(scope))
	if v == nil || !slices.Equal(v.Shape().Dimensions, w.dims()) {
		return nil, fmt.Errorf("textenc: there is no variable %s of shape %v; load or train the encoder in this scope first", w.path(scope), w.dims())
	}
	value, err := v.Value()
	if err != nil {
		return nil, fmt.Errorf("textenc: %s: %w", w.path(scope), err)
	}
	values, err := tensors.CopyFlatData[float32](value)
	if err != nil || w.kind != matrix {
		return values, err
	}
	return transposed(values, w.shape[1], w.shape[0]), nil
}

// transposed turns a matrix around, in tiles that fit a cache.
func transposed(from []float32, rows, columns int) []float32 {
	const tile = 32
	to := make([]float32, len(from))
	for top := 0; top < rows; top += tile {
		for left := 0; left < columns; left += tile {
			for i := top; i < min(top+tile, rows); i++ {
				for j := left; j < min(left+tile, columns); j++ {
					to[j*rows+i] = from[i*columns+j]
				}
			}
		}
	}
	return to
}

// InitRandom creates the variables of a BERT in scope, drawn as for training from nothing: N(0, initializer_range²), biases 0,
// gains 1. Those that are there stay.
func InitRandom(scope *model.Scope, c Config) error {
	if err := c.Validate(); err != nil {
		return fmt.Errorf("textenc: %w", err)
	}
	for _, w := range c.weights() {
		w.variable(scope, c.Deviation)
	}
	return nil
}
