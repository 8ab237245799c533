//go:build unix

package record_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// childVariable makes this test binary play one of the writers below instead of running tests.
const childVariable = "RECORD_TEST_CHILD"

func TestMain(m *testing.M) {
	role, dir, isChild := strings.Cut(os.Getenv(childVariable), ":")
	switch {
	case isChild && role == "writer":
		writeUntilKilled(dir)
	case isChild && role == "full":
		writeUntilFull(dir)
	default:
		os.Exit(m.Run())
	}
}

func child(t *testing.T, role, dir string) *exec.Cmd {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childVariable+"="+role+":"+dir)
	command.Stderr = os.Stderr
	return command
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// writeUntilKilled goes on with a run where it stands and says on standard output which epochs it has written.
func writeUntilKilled(dir string) {
	reader, err := record.Open(dir)
	must(err)
	lines, err := reader.Metrics()
	must(err)
	run, err := record.Resume(dir)
	must(err)
	must(run.Rewind(len(lines)))
	for epoch := len(lines) + 1; ; epoch++ {
		rows := make([]record.PseudoLabel, 100)
		for i := range rows {
			rows[i] = record.PseudoLabel{Epoch: epoch, Split: "train", ID: strconv.Itoa(i), Task: "audio", Label: float32(i)}
		}
		must(run.PseudoLabels(rows))
		must(run.Scalars(epoch, map[string]float64{"train/loss": 1 / float64(epoch)}))
		must(run.Update(func(m *record.Manifest) { m.Backend = strconv.Itoa(epoch) }))
		fmt.Println(epoch)
	}
}

func TestSIGKILLLosesNothingThatWasWritten(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Close())
	for round := range 20 {
		writer := child(t, "writer", r.Dir())
		out, err := writer.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, writer.Start())
		time.AfterFunc(time.Duration(20+7*round)*time.Millisecond, func() { writer.Process.Kill() })
		written := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			written, _ = strconv.Atoi(lines.Text())
		}
		require.Error(t, writer.Wait(), "killed")
		checkKilled(t, r.Dir(), written)
	}
}

// checkKilled reads a run whose writer was killed after it had said that it wrote so many epochs.
func checkKilled(t *testing.T, dir string, written int) {
	t.Helper()
	reader := open(t, dir)
	assert.Equal(t, record.Interrupted, reader.Manifest().Status)
	metrics, err := reader.Metrics()
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(metrics), written)
	for i, line := range metrics {
		require.Equal(t, i+1, line.Epoch)
	}
	labels, err := collect(reader.PseudoLabels())
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(labels), 100*len(metrics))
	for i := range 100 * len(metrics) {
		require.Equal(t, 1+i/100, labels[i].Epoch)
	}
}

func TestASecondProcessIsRefusedAsWriter(t *testing.T) {
	r := create(t)
	other := child(t, "writer", r.Dir())
	other.Stderr = nil
	_, err := other.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Contains(t, string(exit.Stderr), fmt.Sprintf("is being written by process %d", os.Getpid()))
}

// writeUntilFull may write files of no more than 1000 bytes. It ends well if the limit was an error that left whole lines.
func writeUntilFull(dir string) {
	run, err := record.Resume(dir)
	must(err)
	signal.Ignore(syscall.SIGXFSZ)
	must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 1000, Max: 1000}))
	for epoch := 1; err == nil; epoch++ {
		err = run.Append(record.Gates, gate{Epoch: epoch})
	}
	fmt.Println(err)
}

func TestAFullDiskIsAnErrorAndLeavesWholeLines(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Close())
	said, err := child(t, "full", r.Dir()).Output()
	require.NoError(t, err)
	assert.Contains(t, string(said), "writing "+filepath.Join(r.Dir(), "gates.jsonl"))
	text, err := os.ReadFile(filepath.Join(r.Dir(), "gates.jsonl"))
	require.NoError(t, err)
	assert.True(t, strings.HasSuffix(string(text), "}\n"))
	assert.Greater(t, len(text), 900)
}

func TestAFullDiskSaysWhatToDo(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	r := create(t)
	require.NoError(t, os.Symlink("/dev/full", filepath.Join(r.Dir(), "gates.jsonl")))
	err := r.Append(record.Gates, gate{Epoch: 1})
	assert.ErrorIs(t, err, syscall.ENOSPC)
	assert.ErrorContains(t, err, "free some space")
	assert.ErrorContains(t, err, "gates.jsonl")
}

func TestAReadOnlyFolderSaysWhatToDo(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	root := t.TempDir()
	require.NoError(t, os.Chmod(root, 0o555))
	_, err := record.Create(root, manifest)
	assert.ErrorContains(t, err, "choose a folder that you may write to")
	assert.ErrorContains(t, err, root)
}

func TestAReaderNeedsNoPermissionToWrite(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	r := create(t)
	require.NoError(t, r.Close())
	require.NoError(t, os.Chmod(r.Dir(), 0o555))
	defer os.Chmod(r.Dir(), 0o755)
	assert.Equal(t, record.Interrupted, open(t, r.Dir()).Manifest().Status)
	_, err := record.Resume(r.Dir())
	assert.ErrorContains(t, err, "choose a folder that you may write to")
}

func TestAFileInPlaceOfTheRootSaysSo(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "runs", "a file")
	_, err := record.Create(filepath.Join(dir, "runs", "deep"), manifest)
	assert.ErrorContains(t, err, "a file stands where a folder should be")
}

func TestARunFolderDeletedMeanwhileIsNoticedAtTheEndOfTheEpoch(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Append(record.Gates, gate{Epoch: 1}))
	require.NoError(t, os.RemoveAll(r.Dir()))
	err := r.Sync()
	assert.ErrorContains(t, err, "was it moved or deleted?")
	assert.ErrorContains(t, err, r.Dir())
}
