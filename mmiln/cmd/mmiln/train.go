package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// where are the flags of every command that runs a model.
type where struct {
	backend, runs string
	json          bool
}

func (w *where) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&w.backend, "backend", "auto", "auto, go, xla:cpu, xla:cuda, xla:tpu, or the path of an XLA plugin")
	flags.BoolVar(&w.json, "json", false, "print the result as JSON")
}

// open opens the backend and says where things run, unless a script reads.
func (w *where) open(command *cobra.Command) (compute.Backend, string, error) {
	backend, note, err := device.Open(w.backend)
	if err != nil {
		return nil, "", err
	}
	fmt.Fprintln(command.ErrOrStderr(), "running on", note)
	return backend, note, nil
}

func trainCommand() *cobra.Command {
	var w where
	var settings []string
	var dir string
	var seed uint64
	var seeds int
	var untested, continued bool
	command := &cobra.Command{
		Use:   "train CONFIG",
		Short: "train a model, test its best epoch, and leave a run folder",
		Long: `Train a configuration: a TOML file, or the name of one that is shipped (mmiln config lists them). Flags override the
file. Training stops early on validation; the test split is opened once, at the end, and the opening is on record.`,
		Example: `  mmiln train demo
  mmiln train planted --seeds 5 --set mmiln.layers=2
  mmiln train my.toml --data .data/mosi --backend go`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			if dir != "" {
				settings = append(settings, fmt.Sprintf("data.dir=%q", dir))
			}
			if command.Flags().Changed("seed") {
				settings = append(settings, fmt.Sprintf("seed=%d", seed))
			}
			if untested {
				settings = append(settings, "train.sealed=true")
			}
			c, err := experiment.Load(args[0], settings...)
			if err != nil {
				return err
			}
			train := experiment.Train
			if continued {
				train = experiment.Continue
			}
			return trainSeeds(command, c, &w, seeds, train)
		},
	}
	w.flags(command)
	flags := command.Flags()
	flags.StringVar(&w.runs, "runs", "runs", "folder for run folders")
	flags.StringArrayVar(&settings, "set", nil, "override a key of the configuration, such as mmiln.layers=2; repeatable")
	flags.StringVar(&dir, "data", "", "data set to use, instead of the configuration's data.dir")
	flags.Uint64Var(&seed, "seed", 0, "seed to use, instead of the configuration's")
	flags.IntVar(&seeds, "seeds", 1, "train with this many seeds, counting up from the configuration's")
	flags.BoolVar(&untested, "no-test", false, "stop once the best epoch is selected; the test split stays closed")
	flags.BoolVar(&continued, "continue", false, "go on with the runs of this configuration in --runs, and leave finished ones")
	return command
}

// trainer is experiment.Train or experiment.Continue.
type trainer func(context.Context, experiment.Config, experiment.Options) (experiment.Result, error)

// trainSeeds trains one run a seed and shows each, then all together. A seed that fails does not stop the rest.
func trainSeeds(command *cobra.Command, c experiment.Config, w *where, seeds int, train trainer) error {
	if seeds < 1 {
		return fmt.Errorf("--seeds is %d; use at least 1", seeds)
	}
	backend, note, err := w.open(command)
	if err != nil {
		return err
	}
	var results []experiment.Result
	var failures []error
	first, options := c.Seed, w.options(command, backend, note)
	options.Compiled = &experiment.Compiled{}
	for i := range seeds {
		c.Seed = first + uint64(i)
		result, err := train(command.Context(), c, options)
		if err != nil {
			failures = append(failures, w.interruption(result, err))
			if errors.Is(err, experiment.ErrInterrupted) || result.Dir == "" {
				break // it was stopped, or no seed can be trained
			}
			continue
		}
		results = append(results, result)
		if !w.json {
			printResult(command.OutOrStdout(), c, result)
		}
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	if w.json {
		return printJSON(command.OutOrStdout(), results)
	}
	if seeds > 1 {
		return printSummary(command.OutOrStdout(), c, results)
	}
	return nil
}

func (w *where) options(command *cobra.Command, backend compute.Backend, note string) experiment.Options {
	return experiment.Options{
		Backend: backend, Note: note, Runs: w.runs, Argv: os.Args, Reporter: newReporter(command.ErrOrStderr()),
		Prune: true,
	}
}

// interruption adds how to go on, on the same backend.
func (w *where) interruption(result experiment.Result, err error) error {
	if errors.Is(err, experiment.ErrInterrupted) {
		backend := ""
		if w.backend != "auto" {
			backend = " --backend " + w.backend
		}
		return fmt.Errorf("%w; everything is saved, go on with: mmiln resume %s%s", experiment.ErrInterrupted, result.Dir, backend)
	}
	if result.Dir != "" && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w (run folder: %s)", err, result.Dir)
	}
	return err
}

func resumeCommand() *cobra.Command {
	var w where
	command := &cobra.Command{
		Use:   "resume RUN",
		Short: "go on with an interrupted run",
		Long: `Go on with an interrupted run from its last checkpoint. On the same backend, the run ends with the same bytes as if it had
not been interrupted.`,
		Example: `  mmiln resume runs/mmiln-planted-s1111-20261124-231500`,
		Args:    cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			c, err := experiment.ConfigOf(args[0])
			if err != nil {
				return err
			}
			reader, err := record.Open(args[0])
			if err != nil {
				return err
			}
			backend, note, err := w.open(command)
			if err != nil {
				return err
			}
			if began := reader.Manifest().Backend; began != note {
				fmt.Fprintf(command.ErrOrStderr(), "it began on %s; backends differ in the last bits\n", began)
			}
			result, err := experiment.Resume(command.Context(), args[0], w.options(command, backend, note))
			if err != nil {
				return w.interruption(result, err)
			}
			if w.json {
				return printJSON(command.OutOrStdout(), result)
			}
			printResult(command.OutOrStdout(), c, result)
			return nil
		},
	}
	w.flags(command)
	return command
}
