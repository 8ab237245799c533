package study

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/plan"
	"github.com/mmiln/workbench/mmiln/experiment/pool"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// searching is the search of all rows in progress.
type searching struct {
	*Study
	options Options
	known   []Trial
}

// round is what can be tried at the same time.
type round struct {
	jobs    []pool.Job
	pending map[string]Trial // by name of the job
	refused int              // trials whose settings do not go together, such as a width that the heads do not divide
}

// search runs the trials of all rows, proposal by proposal.
func (s *Study) search(ctx context.Context, o Options) (failed []pool.Outcome, err error) {
	if s.manifest.Plan.Search == nil {
		return nil, nil
	}
	w := &searching{Study: s, options: o}
	if w.known, err = s.Trials(); err != nil {
		return nil, err
	}
	if err := w.forgetFailures(); err != nil {
		return nil, err
	}
	for {
		r, err := w.propose()
		if err != nil || len(r.jobs)+r.refused == 0 {
			return failed, err
		}
		failed = append(failed, failures(w.try(ctx, r))...)
		if err := s.writeTrials(w.known); err != nil {
			return failed, err
		}
		if ctx.Err() != nil {
			return failed, experiment.ErrInterrupted
		}
	}
}

// searched are the rows that have a search.
func (s *Study) searched() []plan.Row {
	return slices.DeleteFunc(slices.Clone(s.manifest.Plan.Rows), func(r plan.Row) bool { return len(r.Space) == 0 })
}

// propose collects what each row's search wants to know next.
func (w *searching) propose() (round, error) {
	r := round{pending: map[string]Trial{}}
	for _, row := range w.searched() {
		at, err := w.replay(row, w.known)
		if err != nil {
			return r, err
		}
		for _, t := range at.pending {
			job, err := w.trialJob(w.options, row, t)
			if err != nil {
				t.Error, t.Score = err.Error(), record.Number(math.NaN())
				w.known, r.refused = append(w.known, t), r.refused+1
				continue
			}
			r.jobs, r.pending[job.Name] = append(r.jobs, job), t
		}
	}
	return r, nil
}

// try runs a round and keeps each score as soon as it is there.
func (w *searching) try(ctx context.Context, r round) []pool.Outcome {
	return w.options.Pool.Run(ctx, r.jobs, func(j pool.Job, outcome *pool.Outcome) {
		if outcome != nil && (outcome.Err == nil || ctx.Err() == nil) {
			w.known = append(w.known, w.judged(r.pending[j.Name], outcome))
			_ = w.writeTrials(w.known) // written again after the round, where an error counts
		}
		if w.options.Watch != nil {
			w.options.Watch(j, outcome)
		}
	})
}

// forgetFailures lets trials that failed be tried again, unless their row's search has ended: what it chose stands.
func (w *searching) forgetFailures() error {
	for _, row := range w.searched() {
		at, err := w.replay(row, w.known)
		if err != nil {
			return err
		}
		if len(at.pending) > 0 {
			w.known = slices.DeleteFunc(w.known, func(t Trial) bool { return t.Row == row.Slug && t.Error != "" })
		}
	}
	return nil
}

func (s *Study) trials(row string) string { return filepath.Join(s.dir, "trials", row) }

func (s *Study) trialJob(o Options, row plan.Row, t Trial) (pool.Job, error) {
	c, err := t.config(row)
	if err != nil {
		return pool.Job{}, err
	}
	if err := writeConfig(s.configPath(t.name()), c); err != nil {
		return pool.Job{}, err
	}
	return pool.Job{
		Name: fmt.Sprintf("%s on %s, trial %d", row.Name, row.Data, t.Number+1), Log: s.logPath(t.name()),
		Argv: s.argv(o, t.name(), s.trials(row.Slug), "--no-test"),
	}, nil
}

// judged fills in what a trial came to.
func (s *Study) judged(t Trial, o *pool.Outcome) Trial {
	t.Score = record.Number(math.NaN())
	if o.Err != nil {
		t.Error = cmp.Or(o.Last, o.Err.Error())
		return t
	}
	if err := s.readScore(&t); err != nil {
		t.Error = err.Error()
	}
	return t
}

func (s *Study) readScore(t *Trial) error {
	c, err := readConfig(s.configPath(t.name()))
	if err != nil {
		return err
	}
	key, err := s.key(c)
	if err != nil {
		return err
	}
	run, ok := experiment.Known(s.trials(t.Row))[key]
	if !ok {
		return fmt.Errorf("its run is not in %s", s.trials(t.Row))
	}
	result, err := experiment.ResultOf(run.Manifest)
	if err != nil {
		return fmt.Errorf("%s: %w", run.Dir, err)
	}
	score, err := result.Valid.Get(t.Metric)
	if err != nil {
		return err
	}
	if math.IsNaN(score) {
		return fmt.Errorf("%s is undetermined on validation", t.Metric)
	}
	t.Run, t.Score = s.relative(run.Dir), record.Number(score)
	return nil
}
