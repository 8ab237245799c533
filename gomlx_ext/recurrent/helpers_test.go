package recurrent_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/stretchr/testify/require"
)

// hidden is the width of the golden layers.
const hidden = 4

// torchPaths maps torch's parameter names to the paths of this package's variables in scope /rnn.
func torchPaths(both bool) map[string]string {
	paths := map[string]string{}
	for name, variable := range map[string]string{
		"weight_ih_l0": "weights_x", "weight_hh_l0": "weights_h", "bias_ih_l0": "bias_x", "bias_hh_l0": "bias_h",
	} {
		paths[name] = "/rnn/forward/" + variable
		if both {
			paths[name+"_reverse"] = "/rnn/reverse/" + variable
		}
	}
	return paths
}

func flat(t *tensors.Tensor) []float32 { return tensors.MustCopyFlatData[float32](t) }

// read returns the tensors of testdata/name.safetensors.
func read(t *testing.T, name string) map[string]*tensors.Tensor {
	blob, err := os.ReadFile(filepath.Join("testdata", name+".safetensors"))
	require.NoError(t, err)
	size := binary.LittleEndian.Uint64(blob)
	var header map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(blob[8:8+size], &header))
	out := map[string]*tensors.Tensor{}
	for key, raw := range header {
		if key == "__metadata__" {
			continue
		}
		var entry struct {
			DType   string
			Shape   []int
			Offsets [2]int `json:"data_offsets"`
		}
		require.NoError(t, json.Unmarshal(raw, &entry))
		data := bytes.NewReader(blob[8+size:][entry.Offsets[0]:entry.Offsets[1]])
		if entry.DType == "I64" {
			out[key] = decode[int64](t, data, 8, entry.Shape)
		} else {
			out[key] = decode[float32](t, data, 4, entry.Shape)
		}
	}
	return out
}

func decode[T int64 | float32](t *testing.T, data *bytes.Reader, width int, shape []int) *tensors.Tensor {
	values := make([]T, data.Len()/width)
	require.NoError(t, binary.Read(data, binary.LittleEndian, values))
	return tensors.FromFlatDataAndDimensions(values, shape...)
}
