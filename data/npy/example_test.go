package npy_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/mmiln/workbench/data/npy"
)

// Rows are appended until there are no more; then NumPy can load the file.
func ExampleCreate() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := npy.Create(filepath.Join(dir, "steps.npy"), npy.Float32, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for step := range 3 {
		if err := s.Floats([]float32{float32(step), 0.5}); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := s.Close(); err != nil {
		fmt.Println(err)
		return
	}

	a, err := npy.Open(filepath.Join(dir, "steps.npy"))
	if err != nil {
		fmt.Println(err)
		return
	}
	last := make([]float32, 2)
	a.Floats(last, 4)
	fmt.Println(a.Type, a.Shape, last)
	// Output: <f4 [3 2] [2 0.5]
}
