package recurrent_test

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// read returns the tensors of testdata/name.safetensors: all float32 but lengths.
func read(t *testing.T, name string) map[string]*tensors.Tensor {
	file, err := safetensors.ReadFile(filepath.Join("testdata", name+".safetensors"))
	require.NoError(t, err)
	out := map[string]*tensors.Tensor{}
	for key := range file.Tensors {
		if key == "lengths" {
			values, dims, err := file.Int64(key)
			require.NoError(t, err)
			out[key] = tensors.FromFlatDataAndDimensions(values, dims...)
			continue
		}
		values, dims, err := file.Float32(key)
		require.NoError(t, err)
		out[key] = tensors.FromFlatDataAndDimensions(values, dims...)
	}
	return out
}

func flat(t *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](t) }

// noise is a tensor of normal values, the same for one seed.
func noise(seed uint64, dims ...int) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(seed, 0))
	values := make([]float32, product(dims))
	for i := range values {
		values[i] = float32(rng.NormFloat64())
	}
	return tensors.FromFlatDataAndDimensions(values, dims...)
}

func product(dims []int) int {
	size := 1
	for _, dim := range dims {
		size *= dim
	}
	return size
}
