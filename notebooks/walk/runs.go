package walk

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/gomlx/compute"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/plots"
)

// DataVariable names the environment variable that puts another data set, as `mmiln data import` wrote it, in the place of the
// planted one.
const DataVariable = "MMILN_DATA"

// Runs is the folder of the walkthrough's run folders.
func Runs() (string, error) {
	root, err := Root()
	return filepath.Join(root, "runs", "walk"), err
}

// DataDir is the folder of the data set that chapters read: the planted one, generated where it is not there, unless
// [DataVariable] names another.
func DataDir() (string, error) {
	if dir := os.Getenv(DataVariable); dir != "" {
		return filepath.Abs(dir)
	}
	return PlantedDir()
}

// PlantedDir is the folder of the small planted data set, generated where it is not there.
func PlantedDir() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, ".data", "demo")
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	_, err = planted.Demo().Save(dir)
	return dir, err
}

// Config is the small model that every chapter trains, on the chapters' data set, with settings such as "mmiln.layers=1".
func Config(settings ...string) (experiment.Config, error) {
	dir, err := DataDir()
	if err != nil {
		return experiment.Config{}, err
	}
	return experiment.Load("demo", append([]string{"data.dir=" + dir}, settings...)...)
}

// Planted is [Config] on the planted data whatever [DataVariable] says, for chapters that need the truth.
func Planted(settings ...string) (experiment.Config, error) {
	dir, err := PlantedDir()
	if err != nil {
		return experiment.Config{}, err
	}
	return Config(append([]string{"data.dir=" + dir}, settings...)...)
}

// Backend opens what there is to compute on: XLA where its plugin is found, else pure Go.
func Backend() (compute.Backend, error) {
	backend, _, err := device.Open("auto")
	return backend, err
}

// Run finds the finished run of a configuration, goes on with one that was interrupted, or trains, with a bar.
func Run(c experiment.Config) (*record.Reader, error) {
	live := plots.NewReporter(c.Name)
	return train(c, experiment.Continue, live, bar{live})
}

// Train trains a configuration from the beginning, with live charts. Interrupting the cell saves a checkpoint, with which [Run]
// goes on.
func Train(c experiment.Config) (*record.Reader, error) {
	live := plots.NewReporter(c.Name)
	return train(c, experiment.Train, live, live)
}

// bar is a reporter without its charts.
type bar struct{ *plots.Reporter }

// Epoch draws nothing.
func (bar) Epoch(experiment.EpochReport) {}

type trainer func(context.Context, experiment.Config, experiment.Options) (experiment.Result, error)

func train(c experiment.Config, by trainer, live *plots.Reporter, reporter experiment.Reporter) (*record.Reader, error) {
	backend, note, err := device.Open("auto")
	if err != nil {
		return nil, err
	}
	runs, err := Runs()
	if err != nil {
		return nil, err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := experiment.Options{Backend: backend, Note: note, Runs: runs, Argv: []string{"notebook"}, Reporter: reporter}
	result, err := by(ctx, c, o)
	if live.Dir != "" {
		err = errors.Join(err, live.Done())
	}
	if errors.Is(err, experiment.ErrInterrupted) {
		return nil, fmt.Errorf("%w: a checkpoint is in %s; walk.Run goes on from there", experiment.ErrInterrupted, live.Dir)
	}
	if err != nil {
		return nil, err
	}
	return record.Open(result.Dir)
}

// Result is what the finished run of a configuration came to; see [Run].
func Result(c experiment.Config) (experiment.Result, error) {
	run, err := Run(c)
	if err != nil {
		return experiment.Result{}, err
	}
	result, err := experiment.ResultOf(run.Manifest())
	result.Dir = run.Dir()
	return result, err
}

// Data opens the data set of a configuration.
func Data(c experiment.Config) (*data.Development, *data.Sealed, error) { return data.Open(c.Data.Dir) }
