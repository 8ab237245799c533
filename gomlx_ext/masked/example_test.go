package masked_test

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/masked"
)

func ExampleSequence_Mean() {
	backend, _, err := device.Open("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	x := [][][]float32{{{1, 10}, {3, 30}, {99, 99}}, {{5, 50}, {99, 99}, {99, 99}}}
	mean, err := ExecOnce(backend, func(x, lengths *Node) *Node { return masked.New(x, lengths).Mean() }, x, []int32{2, 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(mean.Value())
	// Output: [[2 20] [5 50]]
}
