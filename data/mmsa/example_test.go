package mmsa_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/mmsa"
)

// A file in MMSA's format becomes a folder that models are trained from.
func ExampleImport() {
	folder, err := os.MkdirTemp("", "mmsa")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	card, err := mmsa.Import("testdata/small.p4.pkl", filepath.Join(folder, "small"), mmsa.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, split := range data.Splits {
		fmt.Println(split, card.Splits[split].Examples)
	}
	fmt.Println(card.Source.Note)
	// Output:
	// train 7
	// valid 3
	// test 4
	// True lengths of text, audio and vision are from padding, audio_lengths and vision_lengths. Not read: train["speaker"], valid["speaker"], test["speaker"].
}

// Opening reads all but the features.
func ExampleOpen() {
	f, err := mmsa.Open("testdata/small.p4.pkl")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	train := f.Splits[0]
	fmt.Println(train.IDs[0], train.Words[0])
	fmt.Println(train.Features[data.Audio].Type, train.Features[data.Audio].Shape)
	// Output:
	// train_0000$_$1 句子 0 «é»
	// float64 [7 16 3]
}
