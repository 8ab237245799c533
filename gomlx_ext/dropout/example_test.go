package dropout_test

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
)

func ExampleApply() {
	backend, _, _ := device.Open("go")
	step, _ := model.NewExec(backend, model.NewStore(), func(scope *model.Scope, x, seed *Node) *Node {
		scope.Store().SetTraining(x.Graph(), true)
		dropout.SetSeed(x.Graph(), seed)
		return dropout.Apply(scope.In("hidden"), x, 0.5)
	})
	x := []float32{1, 2, 3, 4, 5, 6}
	fmt.Println(step.MustCall(x, uint32(1))[0].Value())
	fmt.Println(step.MustCall(x, uint32(2))[0].Value())
	// Output:
	// [2 0 0 0 0 12]
	// [0 0 6 0 0 0]
}
