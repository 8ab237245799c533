package golden

import (
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
)

// suffixes maps the ends of torch's parameter names to this project's; recurrent layers come first.
var suffixes = []struct{ torch, ours string }{
	{".weight_ih_l0_reverse", "/reverse/weights_x"}, {".weight_hh_l0_reverse", "/reverse/weights_h"},
	{".bias_ih_l0_reverse", "/reverse/bias_x"}, {".bias_hh_l0_reverse", "/reverse/bias_h"},
	{".weight_ih_l0", "/forward/weights_x"}, {".weight_hh_l0", "/forward/weights_h"},
	{".bias_ih_l0", "/forward/bias_x"}, {".bias_hh_l0", "/forward/bias_h"},
	{".norm1.weight", "/norm1/gain"}, {".norm1.bias", "/norm1/offset"},
	{".norm2.weight", "/norm2/gain"}, {".norm2.bias", "/norm2/offset"},
	{".weight", "/weights"}, {".bias", "/bias"},
}

// Path is the path of the variable that holds a parameter of the reference.
func Path(parameter string) string {
	for _, s := range suffixes {
		if stem, ok := strings.CutSuffix(parameter, s.torch); ok {
			return "/" + strings.ReplaceAll(stem, ".", "/") + s.ours
		}
	}
	return "/" + strings.ReplaceAll(parameter, ".", "/")
}

// Reversed is x with its axes in reverse order: how torch's matrices [out, in] and kernels [out, in, k] are kept here.
func Reversed(values []float32, dims []int) *tensors.Tensor {
	n := len(dims)
	turned := slices.Clone(dims)
	slices.Reverse(turned)
	strides := make([]int, n) // of the result's axes, in the source
	for axis, stride := n-1, 1; axis >= 0; axis-- {
		strides[n-1-axis] = stride
		stride *= dims[axis]
	}
	out := make([]float32, len(values))
	index := make([]int, n)
	for i := range out {
		source := 0
		for axis := range index {
			source += index[axis] * strides[axis]
		}
		out[i] = values[source]
		for axis := n - 1; axis >= 0; axis-- {
			if index[axis]++; index[axis] < turned[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return tensors.FromFlatDataAndDimensions(out, turned...)
}
