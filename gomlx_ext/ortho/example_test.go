package ortho_test

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/ortho"
)

func ExampleSoft() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	loss := func(x, y *Node) *Node { return ortho.Soft(x, y, false) }
	x := [][]float64{{1, 0}, {-1, 0}, {0, 1}, {0, -1}}
	y := [][]float64{{1, 0}, {1, 0}, {-1, 0}, {-1, 0}} // says nothing about x
	for _, other := range [][][]float64{x, y} {
		value, err := ExecOnce(backend, loss, x, other)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%.3f\n", value.Value())
	}
	// Output:
	// 2.000
	// 0.000
}
