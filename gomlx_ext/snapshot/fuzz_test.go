package snapshot

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// FuzzLoad gives Load's and Restore's parts in memory whatever a file may hold.
func FuzzLoad(f *testing.F) {
	store := model.NewStore()
	store.VariableWithValue("/weights", []float32{1, 2})
	all, err := Capture(store)
	require.NoError(f, err)
	s := State{Tensors: all, Meta: json.RawMessage(`{"epoch":1}`)}
	var seed bytes.Buffer
	metadata := map[string]string{metaKey: string(s.Meta), sumKey: checksum(s)}
	require.NoError(f, safetensors.Write(&seed, &safetensors.File{Tensors: s.Tensors, Metadata: metadata}))
	f.Add(seed.Bytes())
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := safetensors.Parse(content)
		if err != nil {
			return
		}
		if s, err := verified(file); err == nil {
			require.Equal(t, file.Metadata[sumKey], checksum(s))
		}
		restored := model.NewStore()
		if err := Restore(restored, file.Tensors); err == nil {
			_, err = Capture(restored)
			require.NoError(t, err)
		}
	})
}
