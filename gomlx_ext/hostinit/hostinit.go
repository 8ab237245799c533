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
		return existing
	}
	seed := model.GetParamOr(scope, ParamSeed, int64(0))
	rng := rand.New(rand.NewPCG(uint64(seed), pathHash(model.JoinPath(scope.Scope(), name))))
	values := make([]float32, shapes.Make(dtypes.Float32, dims...).Size())
	for i := range values {
		values[i] = draw(rng)
	}
	return scope.VariableWithValue(name, tensors.FromFlatDataAndDimensions(values, dims...))
}

func pathHash(path string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(path)) // a hash.Hash never fails
	return h.Sum64()
}
