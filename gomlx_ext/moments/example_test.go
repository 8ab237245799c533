package moments_test

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/moments"
)

func ExampleCMD() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	narrow, wide := [][]float64{{-0.5}, {0.5}}, [][]float64{{-1}, {1}}
	results, err := ExecOnceN(backend, func(x, y *Node) []*Node {
		total, terms := moments.CMD(x, y, 4, 2)
		return []*Node{total, terms}
	}, narrow, wide)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("means, variances, third and fourth moments:", results[1].Value())
	fmt.Println("together:", results[0].Value())
	// Output:
	// means, variances, third and fourth moments: [0 0.1875 0 0.05859375]
	// together: 0.24609375
}
