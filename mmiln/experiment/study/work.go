package study

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
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
	defer held.Close()
	if err := s.prepare(); err != nil {
		return nil, err
	}
	trials, err := s.search(ctx, o)
	if err != nil {
		return trials, err
	}
	jobs, err := s.jobs(o)
	failed = append(trials, s.failures(o.Pool.Run(ctx, jobs, o.Watch))...)
	if ctx.Err() != nil {
		return failed, experiment.ErrInterrupted
	}
	return failed, err
}

func (s *Study) failures(outcomes []pool.Outcome) []pool.Outcome {
	return slices.DeleteFunc(outcomes, func(o pool.Outcome) bool { return o.Err == nil || o.Err == context.Canceled })
}

// jobs are the processes for the seeds that have no finished run. Several seeds of a row share a process: compiling the graph
// takes some 20 CPU seconds, a small run's training three, and a process compiles once. They are given to several where there
// would be fewer processes than can run at once.
func (s *Study) jobs(o Options) (jobs []pool.Job, err error) {
	trials, err := s.Trials()
	if err != nil {
		return nil, err
	}
	type todo struct {
		row   plan.Row
		name  string
		seeds []uint64
	}
	var all []todo
	var hopeless error
	for _, row := range s.manifest.Plan.Rows {
		c, err := s.chosen(row, trials)
		if err != nil {
			hopeless = err // the other rows have theirs
			continue
		}
		name := row.Slug
		if len(row.Space) > 0 {
			name += "-selected"
			if err := writeConfig(s.configPath(name), c.Config); err != nil {
				return nil, err
			}
		}
		seeds, err := s.unfinished(row, c.Config)
		if err != nil {
			return nil, err
		}
		if len(seeds) > 0 {
			all = append(all, todo{row, name, seeds})
		}
	}
	for _, t := range all {
		most := max(1, len(t.seeds)*len(all)/o.Pool.Slots())
		for _, seeds := range stretches(t.seeds, most) {
			jobs = append(jobs, s.job(o, t.row, t.name, seeds))
		}
	}
	return jobs, hopeless
}

// unfinished lists the seeds whose run is not finished.
func (s *Study) unfinished(row plan.Row, c experiment.Config) (seeds []uint64, err error) {
	for _, seed := range s.manifest.Plan.Seeds {
		c.Seed = seed
		key, err := s.key(c)
		if err != nil {
			return nil, err
		}
		if run, ok := experiment.Find(s.runs(row), key); !ok || run.Manifest.Status != record.Finished {
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

func (s *Study) job(o Options, row plan.Row, config string, seeds []uint64) pool.Job {
	name := fmt.Sprintf("%s on %s, seed %d", row.Name, row.Data, seeds[0])
	if n := len(seeds); n > 1 {
		name = fmt.Sprintf("%s on %s, seeds %d…%d", row.Name, row.Data, seeds[0], seeds[n-1])
	}
	return pool.Job{
		Name: name, Log: s.logPath(fmt.Sprintf("%s-s%d", row.Slug, seeds[0])),
		Argv: s.argv(o, config, s.runs(row), "--seed", fmt.Sprint(seeds[0]), "--seeds", fmt.Sprint(len(seeds))),
	}
}

func (s *Study) argv(o Options, config, runs string, more ...string) []string {
	argv := append(slices.Clone(o.Program), "train", s.configPath(config), "--continue", "--runs", runs, "--backend", s.manifest.Backend)
	return append(argv, more...)
}

// search runs the trials of all rows, proposal by proposal.
func (s *Study) search(ctx context.Context, o Options) (failed []pool.Outcome, err error) {
	if s.manifest.Plan.Search == nil {
		return nil, nil
	}
	known, err := s.Trials()
	if err != nil {
		return nil, err
	}
	if known, err = s.forgetFailures(known); err != nil {
		return nil, err
	}
	for {
		var jobs []pool.Job
		before := len(known)
		pending := map[string]Trial{} // by name of the job
		for _, row := range s.manifest.Plan.Rows {
			if len(row.Space) == 0 {
				continue
			}
			at, err := s.replay(row, known)
			if err != nil {
				return nil, err
			}
			for _, t := range at.pending {
				job, err := s.trialJob(o, row, t)
				if err != nil { // settings that do not go together, such as a width that the heads do not divide
					t.Error, t.Score = err.Error(), record.Number(math.NaN())
					known = append(known, t)
					continue
				}
				jobs, pending[job.Name] = append(jobs, job), t
			}
		}
		outcomes := o.Pool.Run(ctx, jobs, func(j pool.Job, outcome *pool.Outcome) {
			if outcome != nil && (outcome.Err == nil || ctx.Err() == nil) {
				known = append(known, s.judged(pending[j.Name], outcome))
				_ = s.writeTrials(slices.Clone(known)) // again below, where its error counts
			}
			if o.Watch != nil {
				o.Watch(j, outcome)
			}
		})
		failed = append(failed, s.failures(outcomes)...)
		if len(known) > 0 {
			if err := s.writeTrials(known); err != nil {
				return failed, err
			}
		}
		if ctx.Err() != nil {
			return failed, experiment.ErrInterrupted
		}
		if len(jobs) == 0 && len(known) == before {
			return failed, nil
		}
	}
}

// forgetFailures lets trials that failed be tried again, unless their row's search has ended: what it chose stands.
func (s *Study) forgetFailures(known []Trial) ([]Trial, error) {
	for _, row := range s.manifest.Plan.Rows {
		if len(row.Space) == 0 {
			continue
		}
		at, err := s.replay(row, known)
		if err != nil {
			return nil, err
		}
		if len(at.pending) > 0 {
			known = slices.DeleteFunc(known, func(t Trial) bool { return t.Row == row.Slug && t.Error != "" })
		}
	}
	return known, nil
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
		t.Error = orElse(o.Last, o.Err.Error())
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
	run, ok := experiment.Find(s.trials(t.Row), key)
	if !ok {
		return fmt.Errorf("its run is not in %s", s.trials(t.Row))
	}
	var result experiment.Result
	if err := json.Unmarshal(run.Manifest.Result, &result); err != nil {
		return fmt.Errorf("%s: run.json: %w", run.Dir, err)
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
