package snapshot_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/snapshot"
)

func Example() {
	dir, err := os.MkdirTemp("", "checkpoints")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()

	store := model.NewStore()
	store.VariableWithValue("/head/bias", []float32{0.5, 1})
	variables, err := snapshot.Capture(store)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err = snapshot.Save(dir, "epoch-1", snapshot.State{Tensors: variables, Meta: json.RawMessage(`{"epoch":1}`)}, 2); err != nil {
		fmt.Println(err)
		return
	}

	state, path, skipped, err := snapshot.Latest(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	resumed := model.NewStore()
	fmt.Println(snapshot.Restore(resumed, state.Tensors), len(skipped))
	fmt.Println(filepath.Base(path), string(state.Meta), resumed.GetVariable("/head/bias").MustValue().Value())
	// Output:
	// <nil> 0
	// 000001-epoch-1.checkpoint {"epoch":1} [0.5 1]
}
