// Package hostinit initialises variables on the host, so that one seed gives one model on every backend.
//
// GoMLX's initialisers draw inside the graph, and backends draw different bits from one seed. Here each variable is filled
// from its own stream, keyed by the seed and by its path: neither the backend nor the order of creation matters.
package hostinit

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// ParamSeed is the scope parameter (int64) that every variable's stream derives from. Default 0.
const ParamSeed = "hostinit_seed"

// Uniform returns the float32 variable name in scope, drawn from U(−bound, bound) when it is new.
func Uniform(scope *model.Scope, name string, bound float64, dims ...int) *model.Variable {
	return variable(scope, name, dims, func(rng *rand.Rand) float32 {
		return float32((2*rng.Float64() - 1) * bound)
	})
}

// Normal returns the float32 variable name in scope, drawn from N(0, deviation²) when it is new.
func Normal(scope *model.Scope, name string, deviation float64, dims ...int) *model.Variable {
	return variable(scope, name, dims, func(rng *rand.Rand) float32 {
		return float32(rng.NormFloat64() * deviation)
	})
}

// Constant returns the float32 variable name in scope, filled with value when it is new.
func Constant(scope *model.Scope, name string, value float32, dims ...int) *model.Variable {
	return variable(scope, name, dims, func(*rand.Rand) float32 { return value })
}

// FanIn is torch.nn.Linear's and Conv1d's bound, 1/√fan_in.
func FanIn(fanIn int) float64 { return 1 / math.Sqrt(float64(max(fanIn, 1))) }

func variable(scope *model.Scope, name string, dims []int, draw func(*rand.Rand) float32) *model.Variable {
	if existing := scope.GetVariable(name); existing != nil {
		if !existing.Shape().Equal(shapes.Make(dtypes.Float32, dims...)) {
			exceptions.Panicf("hostinit: %s is %s, where float32 %v is wanted", existing.Path(), existing.Shape(), dims)
		}
		remember(existing.Path(), scope.Store(), draw) // it may have come from a checkpoint
		return existing
	}
	path := model.JoinPath(scope.Scope(), name)
	remember(path, scope.Store(), draw)
	return scope.VariableWithValue(name, values(scope.Store(), path, dims, draw))
}

// values are those of a variable under the store's seed.
func values(store *model.Store, path string, dims []int, draw func(*rand.Rand) float32) *tensors.Tensor {
	scope, _ := model.SplitPath(path)
	seed := model.GetParamOr(store.Scope(scope), ParamSeed, int64(0))
	rng := rand.New(rand.NewPCG(uint64(seed), pathHash(path)))
	flat := make([]float32, shapes.Make(dtypes.Float32, dims...).Size())
	for i := range flat {
		flat[i] = draw(rng)
	}
	return tensors.FromFlatDataAndDimensions(flat, dims...)
}

// paramDraws is the parameter that keeps how each variable was drawn, by path, for [Redraw].
const paramDraws = "hostinit_draws"

type draws map[string]func(*rand.Rand) float32

func remember(path string, store *model.Store, draw func(*rand.Rand) float32) {
	all := model.GetRootParamOr(store, paramDraws, draws(nil))
	if all == nil {
		all = draws{}
		store.RootScope().SetParam(paramDraws, all)
	}
	all[path] = draw
}

// Redraw sets every variable that this package made to what it would be in a new model, under the seed as it is now. Compiled
// graphs stay valid: the next model trains without compiling again.
func Redraw(store *model.Store) error {
	for path, draw := range model.GetRootParamOr(store, paramDraws, draws(nil)) {
		v := store.GetVariable(path)
		if v == nil {
			continue
		}
		if err := v.SetValue(values(store, path, v.Shape().Dimensions, draw)); err != nil {
			return err
		}
	}
	return nil
}

// Draws says whether [Redraw] sets a variable: not one that was restored from a checkpoint and that no graph has asked for yet.
func Draws(v *model.Variable, store *model.Store) bool {
	return model.GetRootParamOr(store, paramDraws, draws(nil))[v.Path()] != nil
}

func pathHash(path string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path)) // a hash.Hash never fails
	return h.Sum64()
}
