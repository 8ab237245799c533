package textenc_test

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

func Example() {
	encoder, err := textenc.Open("testdata/tiny")
	if err != nil {
		panic(err)
	}
	tokens, err := encoder.Tokenize([]string{"The film was really awful!", "good"}, 50)
	if err != nil {
		panic(err)
	}
	fmt.Println(tokens.IDs)

	store := model.NewStore()
	if err := encoder.Load(store.Scope("/bert")); err != nil {
		panic(err)
	}
	backend, _, err := device.Open("go")
	if err != nil {
		panic(err)
	}
	ids, lengths := padded(tokens.IDs, tokens.Longest())
	states, err := model.CallOnceN(backend, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		hidden, pooled := encoder.Config().Graph(scope.In("bert"), in[0], in[1])
		return []*graph.Node{hidden, pooled}
	}, ids, lengths)
	if err != nil {
		panic(err)
	}
	fmt.Println(states[0].Shape(), states[1].Shape())
	// Output:
	// [[2 139 140 141 145 146 147 107 3] [2 143 3]]
	// (Float32)[2, 9, 16] (Float32)[2, 16]
}
