//go:build unix && !linux

package pool

import (
	"os/exec"
	"syscall"
)

// attach gives a job a process group of its own, so that Ctrl-C reaches it once, through its parent, and not twice. It outlives a
// parent that is killed; whoever goes on waits for it (see experiment.Continue).
func attach(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
