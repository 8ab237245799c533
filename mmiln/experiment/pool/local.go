package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

// Local runs jobs on this machine, so many at once.
type Local struct{ N int }

// Slots is N.
func (l Local) Slots() int { return max(1, l.N) }

// Run runs the jobs in their order.
func (l Local) Run(ctx context.Context, jobs []Job, watch func(Job, *Outcome)) []Outcome {
	var mu sync.Mutex
	tell := func(j Job, o *Outcome) {
		if watch != nil {
			mu.Lock()
			defer mu.Unlock()
			watch(j, o)
		}
	}
	outcomes := make([]Outcome, len(jobs))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(l.Slots(), len(jobs)) {
		workers.Go(func() {
			// A process dies with the thread that began it (see attach), so the thread must wait for it.
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			for i := range next {
				outcomes[i] = Outcome{Job: jobs[i], Err: context.Canceled}
				if ctx.Err() == nil {
					tell(jobs[i], nil)
					outcomes[i] = run(ctx, jobs[i])
					tell(jobs[i], &outcomes[i])
				}
			}
		})
	}
	for i := range jobs {
		next <- i
	}
	close(next)
	workers.Wait()
	return outcomes
}

func run(ctx context.Context, j Job) Outcome {
	began := time.Now()
	o := Outcome{Job: j, Err: execute(ctx, j)}
	o.Took = time.Since(began)
	if o.Err != nil && ctx.Err() != nil {
		o.Err = context.Canceled
	}
	o.Last = lastLine(j.Log)
	return o
}

// execute runs the process. When ctx ends, the process is asked to stop and then waited for, however long it takes to save.
func execute(ctx context.Context, j Job) error {
	if len(j.Argv) == 0 {
		return errors.New("a job needs a command")
	}
	if err := os.MkdirAll(filepath.Dir(j.Log), 0o755); err != nil {
		return err
	}
	log, err := os.OpenFile(j.Log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Fprintf(log, "--- %s %q\n", time.Now().Format(time.RFC3339), j.Argv)
	command := exec.CommandContext(ctx, j.Argv[0], j.Argv[1:]...)
	command.Stdout, command.Stderr = log, log
	command.Cancel = func() error { return interrupt(command.Process) }
	attach(command)
	if err := command.Start(); err != nil {
		return fmt.Errorf("it could not be started: %w", err)
	}
	return command.Wait()
}

// lastLine reads the end of a log.
func lastLine(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	const tail = 4096
	if info, err := file.Stat(); err == nil && info.Size() > tail {
		if _, err := file.Seek(-tail, io.SeekEnd); err != nil {
			return ""
		}
	}
	text, _ := io.ReadAll(io.LimitReader(file, tail))
	text = bytes.TrimSpace(text)
	return string(bytes.TrimSpace(text[bytes.LastIndexByte(text, '\n')+1:]))
}

// PerJob is what a run takes of memory, in bytes: a fine-tuned MiniLM took 2.8 GB on XLA, the most of the shipped configurations.
const PerJob = 3 << 30

// Default is how many jobs this machine bears: one a core, since most of a small run is compiling, which has one thread, and no
// more than fit into the memory that is free.
func Default() int {
	n := runtime.NumCPU()
	if free, ok := available(); ok {
		n = min(n, int(free/PerJob))
	}
	return max(1, n)
}
