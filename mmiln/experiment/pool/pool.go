// Package pool runs processes, as many at once as a machine bears. [Local] runs them here; a cluster's scheduler would be
// another [Pool].
package pool

import (
	"context"
	"time"
)

// Job is a process to run. Its standard output and error are appended to the log.
type Job struct {
	Name string
	Argv []string
	Log  string
}

// Outcome is how a job ended.
type Outcome struct {
	Job  Job
	Err  error         // nil: it exited with 0; context.Canceled: it was stopped, or never begun
	Last string        // the last line of its log
	Took time.Duration // 0: it was never begun
}

// Pool runs jobs. Cancelling ctx asks those that run to save and stop, and begins no others; Run returns once all have ended.
type Pool interface {
	// Run returns an outcome for each job, in their order. The failure of one does not stop the rest. watch, which may be nil, is
	// told when a job begins (with nil) and ends; its calls do not overlap.
	Run(ctx context.Context, jobs []Job, watch func(Job, *Outcome)) []Outcome
	// Slots is how many jobs run at once.
	Slots() int
}
