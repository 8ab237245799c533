package snapshot_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
)

// state is a small state that is different for every n.
func state(n int) snapshot.State {
	return snapshot.State{
		Tensors: map[string]safetensors.Tensor{"/w": safetensors.FromFloat32([]float32{float32(n), 0.5}, 2)},
		Meta:    json.RawMessage(fmt.Sprintf(`{"epoch":%d}`, n)),
	}
}

func saved(t *testing.T, dir string, n, keep int) string {
	path, err := snapshot.Save(dir, fmt.Sprintf("epoch-%d", n), state(n), keep)
	require.NoError(t, err)
	return path
}

func names(t *testing.T, dir string) (out []string) {
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		out = append(out, entry.Name())
	}
	return out
}

func TestWhatIsSavedIsLoaded(t *testing.T) {
	path := saved(t, t.TempDir(), 3, 1)
	got, err := snapshot.Load(path)
	require.NoError(t, err)
	assert.Equal(t, state(3), got)
}

func TestACheckpointIsAPlainSafetensorsFile(t *testing.T) {
	file, err := safetensors.ReadFile(saved(t, t.TempDir(), 3, 1))
	require.NoError(t, err)
	values, _, err := file.Float32("/w")
	require.NoError(t, err)
	assert.Equal(t, []float32{3, 0.5}, values)
}

func TestTheNewestKeepRemain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on", "demand")
	for n := range 5 {
		saved(t, dir, n, 2)
	}
	assert.Equal(t, []string{"000004-epoch-3.checkpoint", "000005-epoch-4.checkpoint"}, names(t, dir))
}

func TestOtherFilesRemain(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"notes.txt", "epoch-1.checkpoint", "000001-weights.safetensors"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	saved(t, dir, 1, 1)
	saved(t, dir, 2, 1)
	assert.Len(t, names(t, dir), 4)
}

func TestLeftoversOfAKilledSaveAreRemovedByTheNext(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "000007-epoch-1.checkpoint.partial-123"), []byte("half"), 0o600))
	saved(t, dir, 1, 1)
	assert.Equal(t, []string{"000001-epoch-1.checkpoint"}, names(t, dir))
}

func TestTheNewestIsTheLastSavedWhateverItsName(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []int{10, 9, 2} { // a run that was taken up again further back
		saved(t, dir, n, 5)
	}
	got, path, skipped, err := snapshot.Latest(dir)
	require.NoError(t, err)
	assert.Equal(t, state(2), got)
	assert.Equal(t, filepath.Join(dir, "000003-epoch-2.checkpoint"), path)
	assert.Empty(t, skipped)
}

func TestATornNewerCheckpointIsSkippedAndReported(t *testing.T) {
	dir := t.TempDir()
	older, newer := saved(t, dir, 1, 5), saved(t, dir, 2, 5)
	content, err := os.ReadFile(newer)
	require.NoError(t, err)
	for size := range content {
		require.NoError(t, os.WriteFile(newer, content[:size], 0o600))
		got, path, skipped, err := snapshot.Latest(dir)
		require.NoError(t, err)
		require.Equal(t, state(1), got, "cut to %d bytes", size)
		require.Equal(t, older, path)
		require.Len(t, skipped, 1)
		require.ErrorContains(t, skipped[0], newer)
	}
}

func TestAfterATornCheckpointTheNextSaveIsTheNewest(t *testing.T) {
	dir := t.TempDir()
	torn := saved(t, dir, 7, 1)
	require.NoError(t, os.Truncate(torn, 10))
	saved(t, dir, 3, 1)
	got, _, skipped, err := snapshot.Latest(dir)
	require.NoError(t, err)
	assert.Equal(t, state(3), got)
	assert.Empty(t, skipped)
}

func TestNoChangedByteGoesUnnoticed(t *testing.T) {
	path := saved(t, t.TempDir(), 1, 1)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	for i := range content {
		for _, flip := range []byte{1, 0x20, 0x80} {
			content[i] ^= flip
			require.NoError(t, os.WriteFile(path, content, 0o600))
			if got, err := snapshot.Load(path); err == nil {
				require.Equal(t, state(1), got, "byte %d", i) // white space of the header
			}
			content[i] ^= flip
		}
	}
}

func TestWithNothingWholeEveryErrorIsReported(t *testing.T) {
	dir := t.TempDir()
	for n := range 2 {
		require.NoError(t, os.Truncate(saved(t, dir, n, 5), 20))
	}
	_, _, skipped, err := snapshot.Latest(dir)
	assert.Len(t, skipped, 2)
	assert.ErrorContains(t, err, "000001-epoch-0.checkpoint")
	assert.ErrorContains(t, err, "000002-epoch-1.checkpoint")
	assert.NotErrorIs(t, err, fs.ErrNotExist)
}

func TestAFolderWithoutCheckpointsIsToldApartFromABrokenOne(t *testing.T) {
	for _, dir := range []string{t.TempDir(), filepath.Join(t.TempDir(), "none")} {
		_, _, _, err := snapshot.Latest(dir)
		assert.ErrorIs(t, err, fs.ErrNotExist)
		assert.ErrorContains(t, err, dir)
	}
}

func TestAFailedSaveLeavesNothingAndKeepsWhatWasThere(t *testing.T) {
	dir := t.TempDir()
	saved(t, dir, 1, 1)
	broken := state(2)
	broken.Tensors["/w"] = safetensors.FromFloat32([]float32{1}, 2)
	_, err := snapshot.Save(dir, "epoch-2", broken, 1)
	assert.ErrorContains(t, err, `tensor "/w": F32 [2] takes 8 bytes`)
	assert.Equal(t, []string{"000001-epoch-1.checkpoint"}, names(t, dir))
}

func TestAFileThatWasNotSavedHereIsRefused(t *testing.T) {
	_, err := snapshot.Load("../safetensors/testdata/floats.safetensors")
	assert.ErrorContains(t, err, "floats.safetensors is no checkpoint")
}

func TestNamesThatLeaveTheFolderAreRefused(t *testing.T) {
	for _, name := range []string{"", "../a", "a/b"} {
		_, err := snapshot.Save(t.TempDir(), name, state(1), 1)
		assert.ErrorContains(t, err, "cannot name a checkpoint")
	}
}

func TestStateThatIsNotJSONIsRefused(t *testing.T) {
	s := state(1)
	s.Meta = json.RawMessage(`{"epoch":`)
	_, err := snapshot.Save(t.TempDir(), "a", s, 1)
	assert.ErrorContains(t, err, "is not JSON")
}

func TestAReaderSurvivesAWriterThatRemovesWhatItListed(t *testing.T) {
	dir := t.TempDir()
	saved(t, dir, 0, 1)
	done := make(chan error)
	go func() {
		var failures []error
		for n := range 50 {
			_, err := snapshot.Save(dir, "epoch", state(n), 1)
			failures = append(failures, err)
		}
		done <- errors.Join(failures...)
	}()
	for {
		select {
		case err := <-done:
			require.NoError(t, err)
			return
		default:
			_, _, _, err := snapshot.Latest(dir)
			require.NoError(t, err)
		}
	}
}
