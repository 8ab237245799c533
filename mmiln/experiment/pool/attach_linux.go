package pool

import (
	"os/exec"
	"syscall"
)

// attach gives a job a process group of its own, so that Ctrl-C reaches it once, through its parent, and not twice, and lets it
// die when its parent does, even of SIGKILL. What it had done since its last checkpoint is done again on resume.
func attach(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
