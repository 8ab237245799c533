package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/plan"
	"github.com/mmiln/workbench/mmiln/experiment/pool"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Options of work.
type Options struct {
	Pool    pool.Pool
	Program []string                      // the command line of this program, without arguments
	Watch   func(pool.Job, *pool.Outcome) // told when a process begins (nil) and ends; may be nil
}

// Work runs whatever is not finished: first the searches, then every row with every seed. Runs that were interrupted or failed go
// on from their checkpoints, finished ones are left. It returns the processes that failed; they do not stop the rest.
// Cancelling ctx stops the processes, which save first, and returns [experiment.ErrInterrupted].
func (s *Study) Work(ctx context.Context, o Options) (failed []pool.Outcome, err error) {
	held, err := s.take()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if err := s.prepare(); err != nil {
		return nil, err
	}
	if failed, err = s.search(ctx, o); err != nil {
		return failed, err
	}
	jobs, err := s.jobs(o)
	failed = append(failed, failures(o.Pool.Run(ctx, jobs, o.Watch))...)
	if ctx.Err() != nil {
		return failed, experiment.ErrInterrupted
	}
	return failed, err
}

// failures leaves out what succeeded and what was stopped.
func failures(outcomes []pool.Outcome) []pool.Outcome {
	return slices.DeleteFunc(outcomes, func(o pool.Outcome) bool { return o.Err == nil || errors.Is(o.Err, context.Canceled) })
}

// todo is a row's seeds that have no finished run.
type todo struct {
	row    plan.Row
	config string // name of its file
	seeds  []uint64
}

// jobs are the processes for what is left to do. Several seeds of a row share a process: compiling the graph takes some 20 CPU
// seconds, a small run's training three, and a process compiles once. They are given to several processes where there would be
// fewer than can run at once. An error says why a row has no jobs; those of the others are returned with it.
func (s *Study) jobs(o Options) (jobs []pool.Job, err error) {
	trials, err := s.Trials()
	if err != nil {
		return nil, err
	}
	var all []todo
	for _, row := range s.manifest.Plan.Rows {
		left, failure := s.left(row, trials)
		if failure != nil {
			err = failure
		}
		if len(left.seeds) > 0 {
			all = append(all, left)
		}
	}
	for _, t := range all {
		most := max(1, len(t.seeds)*len(all)/o.Pool.Slots())
		for _, seeds := range stretches(t.seeds, most) {
			jobs = append(jobs, s.job(o, t, seeds))
		}
	}
	return jobs, err
}

// left is what a row still has to run; for one that was searched, with the configuration that was chosen.
func (s *Study) left(row plan.Row, trials []Trial) (t todo, err error) {
	c, err := s.chosen(row, trials)
	if err != nil {
		return t, err
	}
	t = todo{row: row, config: row.Slug}
	if len(row.Space) > 0 {
		t.config += "-selected"
		if err := writeConfig(s.configPath(t.config), c.Config); err != nil {
			return t, err
		}
	}
	t.seeds, err = s.unfinished(row, c.Config)
	return t, err
}

// unfinished lists the seeds whose run is not finished.
func (s *Study) unfinished(row plan.Row, c experiment.Config) (seeds []uint64, err error) {
	known := experiment.Known(s.runs(row))
	for _, seed := range s.manifest.Plan.Seeds {
		c.Seed = seed
		key, err := s.key(c)
		if err != nil {
			return nil, err
		}
		if run, ok := known[key]; !ok || run.Manifest.Status != record.Finished {
			seeds = append(seeds, seed)
		}
	}
	return seeds, nil
}

// stretches cuts seeds into runs of consecutive numbers, as `mmiln train --seeds` counts them, none longer than most.
func stretches(seeds []uint64, most int) (all [][]uint64) {
	sorted := slices.Sorted(slices.Values(seeds))
	for i, seed := range sorted {
		if last := len(all) - 1; i > 0 && seed == sorted[i-1]+1 && len(all[last]) < most {
			all[last] = append(all[last], seed)
		} else {
			all = append(all, []uint64{seed})
		}
	}
	return all
}

func (s *Study) job(o Options, t todo, seeds []uint64) pool.Job {
	row := t.row
	name := fmt.Sprintf("%s on %s, seed %d", row.Name, row.Data, seeds[0])
	if n := len(seeds); n > 1 {
		name = fmt.Sprintf("%s on %s, seeds %d…%d", row.Name, row.Data, seeds[0], seeds[n-1])
	}
	return pool.Job{
		Name: name, Log: s.logPath(fmt.Sprintf("%s-s%d", row.Slug, seeds[0])),
		Argv: s.argv(o, t.config, s.runs(row), "--seed", fmt.Sprint(seeds[0]), "--seeds", fmt.Sprint(len(seeds))),
	}
}

func (s *Study) argv(o Options, config, runs string, more ...string) []string {
	argv := append(slices.Clone(o.Program), "train", s.configPath(config), "--continue", "--runs", runs, "--backend", s.manifest.Backend)
	return append(argv, more...)
}

// relative is a run's folder as seen from the experiment's.
func (s *Study) relative(dir string) string {
	if path, err := filepath.Rel(s.dir, dir); err == nil {
		return path
	}
	return dir
}

// Program is the command line of this program.
func Program() ([]string, error) {
	path, err := os.Executable()
	return []string{path}, err
}
