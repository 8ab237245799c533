//go:build unix

package pool

import (
	"os"
	"syscall"
)

// interrupt asks a job to save and stop.
func interrupt(process *os.Process) error { return process.Signal(syscall.SIGTERM) }
