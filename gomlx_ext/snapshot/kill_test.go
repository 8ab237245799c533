package snapshot_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
)

// savesIn, when set, makes this test binary a process that saves checkpoints in that folder until it is killed.
const savesIn = "SNAPSHOT_TEST_SAVES_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(savesIn); dir != "" {
		saveForever(dir)
	}
	os.Exit(m.Run())
}

// saveForever goes on from the newest checkpoint, and says which one it has saved.
func saveForever(dir string) {
	n := 0
	if last, _, _, err := snapshot.Latest(dir); err == nil {
		n = counted(last)
	}
	for {
		n++
		values := make([]float32, 20_000+n%7*10_000)
		for i := range values {
			values[i] = float32(n)
		}
		s := snapshot.State{Tensors: map[string]safetensors.Tensor{"/w": safetensors.FromFloat32(values, len(values))}, Meta: json.RawMessage(strconv.Itoa(n))}
		if _, err := snapshot.Save(dir, "step", s, 2); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// counted is the number that a state of saveForever was made from, −1 where its parts disagree.
func counted(s snapshot.State) int {
	n, err := strconv.Atoi(string(s.Meta))
	values, _, readErr := (&safetensors.File{Tensors: s.Tensors}).Float32("/w")
	if err != nil || readErr != nil || values[0] != float32(n) || values[len(values)-1] != float32(n) {
		return -1
	}
	return n
}

func TestAProcessKilledWhileItSavesLosesNothingThatWasSaved(t *testing.T) {
	const kills = 40
	dir := t.TempDir()
	midway := 0
	for range kills {
		said := saveUntilKilled(t, dir)
		got, _, skipped, err := snapshot.Latest(dir)
		require.NoError(t, err)
		require.Empty(t, skipped)
		require.GreaterOrEqual(t, counted(got), said)
		leftovers, err := filepath.Glob(filepath.Join(dir, "*.partial-*"))
		require.NoError(t, err)
		midway += len(leftovers)
	}
	t.Logf("%d of %d kills came midway through a file", midway, kills)
	assert.Positive(t, midway, "no kill came midway through a file: the test shows nothing")
}

// saveUntilKilled runs saveForever in a process of its own, kills it at a random moment after its first checkpoint, and
// returns the last one that it said was saved.
func saveUntilKilled(t *testing.T, dir string) (last int) {
	executable, err := os.Executable()
	require.NoError(t, err)
	child := exec.Command(executable)
	child.Env = append(os.Environ(), savesIn+"="+dir)
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the process saved nothing")
	time.AfterFunc(time.Duration(rand.IntN(15_000))*time.Microsecond, func() { _ = child.Process.Kill() })
	for more := true; more; more = lines.Scan() {
		last, err = strconv.Atoi(lines.Text())
		require.NoError(t, err, lines.Text())
	}
	_ = child.Wait() // it was killed
	return last
}
