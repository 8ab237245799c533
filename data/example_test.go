package data_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
)

// plantedFolder writes a small data set to a folder that is removed by the returned function.
func plantedFolder() (dir string, remove func()) {
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	dir = filepath.Join(root, "demo")
	if _, err := planted.Demo().Save(dir); err != nil {
		panic(err)
	}
	return dir, func() { _ = os.RemoveAll(root) }
}

// An epoch over the training split, padded to one of a few shapes. The test split stays sealed until its opening is logged.
func ExampleOpen() {
	dir, remove := plantedFolder()
	defer remove()

	d, sealed, err := data.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	train := data.WithNormaliser(data.FitStandard(d), d.Train)
	buckets := data.NewBuckets(d.Train, d.Schema().Longest(), 128, 3)
	for _, rows := range data.Batches(data.Order(1, 0, train.Len()), 128) {
		batch, err := train.Batch(rows, buckets.Steps(train, rows))
		if err != nil {
			fmt.Println(err)
			return
		}
		audio := batch.Sequences[data.Audio]
		fmt.Printf("audio [%d, %d, %d]\n", len(rows), audio.Steps, audio.Width)
	}

	test, err := sealed.Unseal("final evaluation", func(o data.Opening) error {
		fmt.Printf("opened %d examples of %s: %s\n", o.Examples, o.Dataset, o.Reason)
		return nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(test.Info(0).ID)
	// Output:
	// audio [128, 40, 12]
	// audio [128, 40, 12]
	// audio [64, 40, 12]
	// opened 160 examples of demo: final evaluation
	// test-00000
}

// A reader of a new format adds one example at a time; a folder appears only once all is well.
func ExampleWriter() {
	dir := filepath.Join(os.TempDir(), "example-writer")
	w, err := data.Create(dir, data.Source{Format: "mine", Width: [3]int{data.Audio: 2}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer w.Abort()
	e := data.Example{Info: data.Info{ID: "a", Label: 3.2, Lengths: [3]int{data.Audio: 1}}}
	e.Values[data.Audio] = []float32{0.5, -1}
	fmt.Println(w.Add(data.Train, e))
	// Output:
	// data: example "a" of train: label is 3.2 and must lie in [-3, 3]; correct or exclude it, or state another limit
}
