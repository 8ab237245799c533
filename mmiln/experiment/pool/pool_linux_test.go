package pool_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestJobsDieWithAParentThatIsKilled(t *testing.T) {
	dir := t.TempDir()
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "POOL_TEST_PARENT="+dir)
	require.NoError(t, parent.Start())
	require.True(t, awaitText(filepath.Join(dir, "a.pid"), "\n") && awaitText(filepath.Join(dir, "b.pid"), "\n"))
	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait() // it was killed
	for _, name := range []string{"a.pid", "b.pid"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		var pid int
		_, err = fmt.Sscan(string(text), &pid)
		require.NoError(t, err)
		assert.Eventually(t, func() bool { return !alive(pid) }, 2*time.Second, 10*time.Millisecond)
	}
}

// alive is false for a process that is gone or a zombie that nobody has fetched.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ")
}
