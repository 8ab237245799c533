package planted_test

import (
	"fmt"
	"strings"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
)

// Every example's unimodal truths are known, and the label is a function of them.
func ExampleGenerate() {
	set, err := planted.Generate(planted.Demo())
	if err != nil {
		fmt.Println(err)
		return
	}
	info := set.Train.Infos[1]
	fmt.Println(info.Words)
	for _, m := range data.Modalities {
		fmt.Printf("%s: %.2f in %d steps of %d features\n", m, info.Unimodal[m], info.Lengths[m], set.Train.Sequences[m].Width)
	}
	fmt.Printf("label: %.1f\n", info.Label)
	// Output:
	// i found it hardly charming i mean but so funny
	// text: 0.38 in 10 steps of 24 features
	// audio: 0.55 in 28 steps of 12 features
	// vision: 0.80 in 28 steps of 16 features
	// label: 0.8
}

func ExampleScore() {
	for _, sentence := range []string{"the acting was good", "the acting was not very good"} {
		fmt.Println(planted.Score(strings.Fields(sentence)), sentence)
	}
	// Output:
	// 1.25 the acting was good
	// -0.9375 the acting was not very good
}

// What one types becomes features that a model trained on the set can read.
func ExampleConfig_Embed() {
	features := planted.MOSI().Embed(strings.Fields("the ending was hardly bad"))
	fmt.Println(len(features), "=", 5, "words ×", planted.MOSI().Width[data.Text])
	// Output: 120 = 5 words × 24
}
