package safetensors_test

import (
	"bytes"
	"fmt"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

func Example() {
	file := &safetensors.File{
		Tensors:  map[string]safetensors.Tensor{"gate": safetensors.FromFloat32([]float32{0.25, 0.75, 0.5, 1}, 2, 2)},
		Metadata: map[string]string{"epoch": "3"},
	}
	var buffer bytes.Buffer
	if err := safetensors.Write(&buffer, file); err != nil {
		fmt.Println(err)
		return
	}
	back, err := safetensors.Parse(buffer.Bytes())
	if err != nil {
		fmt.Println(err)
		return
	}
	values, shape, err := back.Float32("gate")
	fmt.Println(values, shape, err, back.Metadata["epoch"])

	_, _, err = back.Int64("gate")
	fmt.Println(err)
	// Output:
	// [0.25 0.75 0.5 1] [2 2] <nil> 3
	// safetensors: tensor "gate": F32 cannot be read as integers
}
