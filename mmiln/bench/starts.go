package main

import (
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
)

// compareStarts times processes of both sides from their start to the end of their first step: ours with an empty cache of programs
// and with what that left, theirs with what was found fastest.
func compareStarts(o options, theirs *torch) error {
	cache, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	var took [2]time.Duration
	for i := range took {
		if took[i], err = timed(ownFirst(o, cache)); err != nil {
			return err
		}
	}
	other, err := timed(exec.Command(o.python, o.script, "--lengths", o.lengths, "--attention", theirs.Attention,
		"--recurrent", theirs.Recurrent, "--adam", theirs.Adam, "--steps", "1"))
	if err != nil {
		return err
	}
	fmt.Printf("  start to first step: ours %.1f s, with kept programs %.1f s; torch %.1f s; torch/ours %.2f and %.2f\n",
		took[0].Seconds(), took[1].Seconds(), other.Seconds(), other.Seconds()/took[0].Seconds(), other.Seconds()/took[1].Seconds())
	return nil
}

// ownFirst is this program once more, that ends after its first step.
func ownFirst(o options, cache string) *exec.Cmd {
	command := exec.Command(os.Args[0], "--first", "--lengths", o.lengths, "--backend", o.backend)
	command.Env = append(os.Environ(), compilecache.Variable+"="+cache)
	return command
}

func timed(command *exec.Cmd) (time.Duration, error) {
	command.Stderr = os.Stderr
	began := time.Now()
	if err := command.Run(); err != nil {
		return 0, fmt.Errorf("%s: %w", command, err)
	}
	return time.Since(began), nil
}
