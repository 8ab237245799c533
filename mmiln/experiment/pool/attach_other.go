//go:build !unix

package pool

import (
	"os"
	"os/exec"
)

func attach(*exec.Cmd) {}

// interrupt ends a job, where processes cannot be asked. What it had done since its last checkpoint is done again on resume.
func interrupt(process *os.Process) error { return process.Kill() }
