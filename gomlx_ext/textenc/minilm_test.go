package textenc_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/internal/backends"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
)

// minilm opens the folder that MMILN_MINILM names.
func minilm(t testing.TB) *textenc.Encoder {
	dir := os.Getenv("MMILN_MINILM")
	if dir == "" {
		t.Skip("MMILN_MINILM does not name the folder of all-MiniLM-L6-v2")
	}
	encoder, err := textenc.Open(dir)
	require.NoError(t, err)
	return encoder
}

// shared is a file of MMILN_SHARED, beside the repository where it is not set.
func shared(t testing.TB, name string) string {
	root := os.Getenv("MMILN_SHARED")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared")
	}
	path := filepath.Join(root, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no %s here", path)
	}
	return path
}

type reference struct {
	Text   string
	IDs    []int32
	Hidden [][]float32 `json:"last_hidden"`
	Pooler []float32
}

func references(t testing.TB) (texts []string, want []reference) {
	content, err := os.ReadFile(shared(t, "data/minilm_reference.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &want))
	for _, one := range want {
		texts = append(texts, one.Text)
	}
	return texts, want
}

func TestMiniLMGivesWhatTransformersGives(t *testing.T) {
	encoder := minilm(t)
	texts, want := references(t)
	tokens, err := encoder.Tokenize(texts, 0)
	require.NoError(t, err)
	for i, one := range want {
		require.Equal(t, one.IDs, tokens.IDs[i])
	}
	backends.Each(t, func(t *testing.T, backend compute.Backend) {
		store := model.NewStore()
		require.NoError(t, encoder.Load(store.Scope("/bert")))
		ids, lengths := padded(tokens.IDs, tokens.Longest())
		got := run(t, backend, store, forward(encoder.Config()).at("bert"), ids, lengths)
		width := encoder.Config().Width
		for i, one := range want {
			for step, hidden := range one.Hidden {
				at := (i*tokens.Longest() + step) * width
				require.InDeltaSlice(t, hidden, flat(got[0])[at:at+width], 1e-4, "text %d, step %d", i, step)
			}
			require.InDeltaSlice(t, one.Pooler, flat(got[1])[i*width:(i+1)*width], 1e-4, "text %d", i)
		}
	})
}
