package recurrent_test

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
)

func Example() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	exec := model.MustNewExec(backend, model.NewStore(), func(scope *model.Scope, x, lengths *Node) []*Node {
		sequence, last := recurrent.New(recurrent.GRU, scope.In("encoder"), x, 8).Lengths(lengths).Bidirectional().Done()
		return []*Node{sequence, last}
	})
	x := tensors.FromShape(shapes.Make(dtypes.Float32, 2, 5, 3)) // two examples of five steps of three features
	sequence, last := exec.MustCall2(x, []int32{5, 2})
	fmt.Println(sequence.Shape(), last.Shape())
	// Output: (Float32)[2, 5, 16] (Float32)[2, 16]
}
