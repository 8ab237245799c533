package mmsa

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

// FuzzImport: either a data set that verifies, or an error and nothing.
func FuzzImport(f *testing.F) {
	for _, root := range []dict{file(), withTrain("audio_lengths", list(4, 1)), file().with("train", aligned())} {
		var pickled bytes.Buffer
		require.NoError(f, writePickle(&pickled, root))
		f.Add(pickled.Bytes())
	}
	for _, protocol := range []int{2, 5} {
		pickled, err := os.ReadFile(smallPath(protocol))
		require.NoError(f, err)
		f.Add(pickled)
	}
	f.Fuzz(func(t *testing.T, pickled []byte) {
		path, folder := filepath.Join(t.TempDir(), "features.pkl"), t.TempDir()
		require.NoError(t, os.WriteFile(path, pickled, 0o666))
		dir := filepath.Join(folder, "set")
		if _, err := Import(path, dir, Options{}); err == nil {
			assert.NoError(t, data.Verify(dir))
			return
		}
		left, err := os.ReadDir(folder)
		require.NoError(t, err)
		assert.Empty(t, left)
	})
}
