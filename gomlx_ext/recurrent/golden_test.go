package recurrent_test

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
)

// The golden files are made by testdata/make_golden.py with PyTorch 2.9.1.
var goldens = []struct {
	file string
	layer
}{
	{"gru", layer{recurrent.GRU, false, 4}}, {"bigru", layer{recurrent.GRU, true, 4}},
	{"lstm", layer{recurrent.LSTM, false, 4}}, {"bilstm", layer{recurrent.LSTM, true, 4}},
}

func TestOutputsAndGradientsMatchTorch(t *testing.T) {
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		for _, golden := range goldens {
			t.Run(golden.file, func(t *testing.T) {
				want := read(t, golden.file)
				store := model.NewStore()
				require.NoError(t, recurrent.LoadTorch(store.Scope("rnn"), want))
				got := golden.run(t, backend, store, want["input"], want["lengths"], want["cotangent.output"], want["cotangent.last"])
				require.Len(t, got.parameters, len(torchNames(golden.both)))
				equal(t, want["output"], got.output)
				equal(t, want["last"], got.last)
				equal(t, want["grad.input"], got.input)
				for name, path := range torchNames(golden.both) {
					equal(t, want["grad."+name], transposed(got.parameters[path]))
				}
			})
		}
	})
}

// equal allows for the rounding of float32, which make_golden.py bounds by 1e-5.
func equal(t *testing.T, want, got *tensors.Tensor) {
	t.Helper()
	require.Equal(t, want.Shape().Dimensions, got.Shape().Dimensions)
	require.InDeltaSlice(t, flat(want), flat(got), 2e-5)
}

// torchNames maps torch's parameters to the paths of this package's variables in scope /rnn.
func torchNames(both bool) map[string]string {
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

// transposed turns matrices, and leaves vectors.
func transposed(x *tensors.Tensor) *tensors.Tensor {
	if x.Rank() == 1 {
		return x
	}
	rows, columns := x.Shape().Dim(0), x.Shape().Dim(1)
	values := make([]float32, rows*columns)
	for i, value := range flat(x) {
		values[i%columns*rows+i/columns] = value
	}
	return tensors.FromFlatDataAndDimensions(values, columns, rows)
}

func TestLoadTorchReplacesWhatIsThere(t *testing.T) {
	store := model.NewStore()
	scope := store.Scope("rnn")
	scope.At("forward").VariableWithValue("bias_x", make([]float32, 12))
	want := read(t, "gru")
	require.NoError(t, recurrent.LoadTorch(scope, want))
	require.Equal(t, flat(want["bias_ih_l0"]), flat(store.GetVariable("/rnn/forward/bias_x").MustValue()))
}

func TestLoadTorchErrors(t *testing.T) {
	matrix := tensors.FromShape(read(t, "gru")["weight_hh_l0"].Shape())
	for name, test := range map[string]struct {
		change func(map[string]*tensors.Tensor)
		says   string
	}{
		"missing":       {func(p map[string]*tensors.Tensor) { delete(p, "bias_hh_l0") }, "bias_hh_l0 is missing"},
		"half reversed": {func(p map[string]*tensors.Tensor) { p["weight_ih_l0_reverse"] = matrix }, "bias_hh_l0_reverse is missing"},
		"dtype":         {func(p map[string]*tensors.Tensor) { p["bias_hh_l0"] = p["lengths"] }, "must be a float32"},
		"rank":          {func(p map[string]*tensors.Tensor) { p["bias_hh_l0"] = p["input"] }, "must be a float32"},
		"shape":         {func(p map[string]*tensors.Tensor) { p["bias_hh_l0"] = matrix }, "bias_hh_l0 gives"},
	} {
		t.Run(name, func(t *testing.T) {
			store := model.NewStore()
			scope := store.Scope("rnn")
			existing := scope.At("forward").VariableWithValue("bias_h", make([]float32, 12))
			parameters := read(t, "gru")
			test.change(parameters)
			require.ErrorContains(t, recurrent.LoadTorch(scope, parameters), test.says)
			require.Equal(t, make([]float32, 12), flat(existing.MustValue()), "nothing is set")
			require.Equal(t, 1, scope.NumVariables())
		})
	}
}
