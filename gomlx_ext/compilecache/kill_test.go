//go:build unix

package compilecache_test

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
)

// What makes this test binary another process, with the folder of a cache as value.
const (
	storesIn = "COMPILECACHE_TEST_STORES_IN" // stores until it is killed
	fullDisk = "COMPILECACHE_TEST_FULL_DISK" // stores once where a file can have a thousand bytes
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(storesIn); dir != "" {
		storeForever(dir)
	}
	if dir := os.Getenv(fullDisk); dir != "" {
		storeOnFullDisk(dir)
	}
	os.Exit(m.Run())
}

func machineCode() []byte { return bytes.Repeat([]byte("machine code"), 100_000) }

func storeForever(dir string) {
	cache, err := compilecache.Open(dir, gigabyte)
	for err == nil {
		err = cache.Store(key("one"), machineCode())
		fmt.Println(err) // that it is at work
	}
	os.Exit(1)
}

func TestAKilledWriterLeavesTheOldProgramOrTheNewOne(t *testing.T) {
	const kills = 30
	dir := t.TempDir()
	cache := open(t, dir, gigabyte)
	executable, err := os.Executable()
	require.NoError(t, err)
	midway := 0
	for range kills {
		child := exec.Command(executable)
		child.Env = append(os.Environ(), storesIn+"="+dir)
		out, err := child.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, child.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "<nil>\n", line)
		time.Sleep(time.Duration(rand.IntN(30_000)) * time.Microsecond)
		require.NoError(t, child.Process.Kill())
		_ = child.Wait() // it was killed
		program, err := cache.Load(key("one"))
		require.NoError(t, err) // it was stored before the kill
		require.True(t, bytes.Equal(program, machineCode()))
		leftovers, err := filepath.Glob(filepath.Join(dir, "*.partial-*"))
		require.NoError(t, err)
		midway = len(leftovers)
	}
	t.Logf("%d of %d kills came midway through a file", midway, kills)
	require.Positive(t, midway, "no kill came midway through a file: the test shows nothing")
}

func storeOnFullDisk(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 1000, Max: 1000}
	cache, err := compilecache.Open(dir, gigabyte)
	if err == nil {
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err == nil {
		err = cache.Store(key("one"), machineCode())
	}
	fmt.Print(err)
	os.Exit(0)
}

func TestADiskThatTakesNoMoreIsAnErrorAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	executable, err := os.Executable()
	require.NoError(t, err)
	child := exec.Command(executable)
	child.Env = append(os.Environ(), fullDisk+"="+dir)
	said, err := child.Output()
	require.NoError(t, err)
	require.Contains(t, string(said), "file too large")
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
