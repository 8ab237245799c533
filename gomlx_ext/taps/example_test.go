package taps_test

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

func Example() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	gated := func(scope *model.Scope, x *Node, tap *taps.Taps) *Node {
		gate := Sigmoid(x)
		tap.Add(scope, "g_r", gate)
		return Mul(gate, x)
	}
	var names []string
	results, err := model.CallOnceN(backend, model.NewStore(), func(scope *model.Scope, x *Node) []*Node {
		tap := taps.New(scope)
		output := gated(scope.In("layers").In("0").In("gate"), x, tap)
		names = tap.Names()
		return append([]*Node{output}, tap.Nodes()...)
	}, []float32{0, 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("output", results[0].Value())
	for i, name := range names {
		fmt.Println(name, results[i+1].Value())
	}
	// Output:
	// output [0 100]
	// layers.0.gate.g_r [0.5 1]
}
