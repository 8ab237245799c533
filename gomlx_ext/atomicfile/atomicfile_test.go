package atomicfile_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

// names lists a folder.
func names(t *testing.T, dir string) (found []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		found = append(found, entry.Name())
	}
	return found
}

func TestReplaceTakesThePlaceOfTheOldContentAndLeavesNothingElse(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, content := range []string{"first, longer", "second", ""} {
		require.NoError(t, atomicfile.Replace(path, []byte(content)))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, content, string(got))
		require.Equal(t, []string{"file"}, names(t, dir))
	}
}

func TestAFailedWriteKeepsTheOldContent(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	require.NoError(t, atomicfile.Replace(path, []byte("old")))
	broken := errors.New("broken")
	err := atomicfile.ReplaceFunc(path, func(w io.Writer) error {
		_, err := w.Write([]byte("half of the ne"))
		return errors.Join(err, broken)
	})
	require.ErrorIs(t, err, broken)
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "old", string(got))
	require.Equal(t, []string{"file"}, names(t, dir))
}

func TestAFolderThatIsNotThereIsAnError(t *testing.T) {
	require.ErrorIs(t, atomicfile.Replace(filepath.Join(t.TempDir(), "no", "file"), nil), fs.ErrNotExist)
}

func TestReplaceInFollowsTheOpenFolderAndNotItsPath(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "folder")
	require.NoError(t, os.Mkdir(dir, 0o700))
	folder, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer folder.Close()
	require.NoError(t, os.Rename(dir, filepath.Join(parent, "moved")))
	require.NoError(t, os.Mkdir(dir, 0o700))
	write := func(w io.Writer) error { _, err := w.Write([]byte("x")); return err }
	require.NoError(t, atomicfile.ReplaceIn(folder, "file", 0o600, write))
	require.Empty(t, names(t, dir))
	info, err := os.Stat(filepath.Join(parent, "moved", "file"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode().Perm())
}
