package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// target says which model reads which examples.
type target struct {
	where
	run, dir, split string
}

func (t *target) flags(command *cobra.Command) {
	t.where.flags(command)
	flags := command.Flags()
	flags.StringVar(&t.run, "run", "", "run folder")
	flags.StringVar(&t.dir, "data", "", "data set; default: the one that the run was trained on")
	flags.StringVar(&t.split, "split", "valid", "train, valid or test; opening test is recorded in the run")
	_ = command.MarkFlagRequired("run") // the flag exists
}

// predict loads the best epoch and reads the split.
func (t *target) predict(command *cobra.Command) ([]record.Prediction, error) {
	backend, _, err := t.open(command)
	if err != nil {
		return nil, err
	}
	p, err := experiment.OpenPredictor(t.run, backend)
	if err != nil {
		return nil, err
	}
	if t.dir == "" {
		t.dir = p.Config.Data.Dir
	}
	examples, err := t.examples(command.CommandPath())
	if err != nil {
		return nil, err
	}
	return p.Predict(examples)
}

func (t *target) examples(reason string) (data.Examples, error) {
	development, sealed, err := data.Open(t.dir)
	if err != nil {
		return nil, err
	}
	switch t.split {
	case "train":
		return development.Train, nil
	case "valid":
		return development.Valid, nil
	case "test":
		return experiment.OpenTest(t.run, sealed, reason)
	}
	return nil, fmt.Errorf("--split is %q; use train, valid or test", t.split)
}

func evalCommand() *cobra.Command {
	var t target
	command := &cobra.Command{
		Use:     "eval --run RUN",
		Short:   "score a run's best epoch on a split",
		Example: `  mmiln eval --run runs/mmiln-planted-s1111-20261124-231500 --split valid`,
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			rows, err := t.predict(command)
			if err != nil {
				return err
			}
			scores, err := experiment.Score(rows)
			if err != nil {
				return err
			}
			if t.json {
				return printJSON(command.OutOrStdout(), scores)
			}
			return printScores(command.OutOrStdout(), t.split, scores)
		},
	}
	t.flags(command)
	return command
}

func printScores(out io.Writer, split string, scores metric.Scores) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\t%s\t\n", split)
	for _, name := range metric.Names() {
		title, _ := metric.Title(name) // name is one of Names
		fmt.Fprintf(w, "%s\t%s\t\n", title, format(scores, name))
	}
	fmt.Fprintf(w, "examples\t%d\t\n", scores.N)
	return w.Flush()
}

func predictCommand() *cobra.Command {
	var t target
	var given sentences
	command := &cobra.Command{
		Use:   "predict --run RUN",
		Short: "write a run's predictions for a data set or for sentences, as CSV or JSON",
		Long: fmt.Sprintf(`Write the predictions of a run's best epoch, for a split of a data set or for sentences of one's own. Up to %d sentences
run on pure Go, which has nothing to compile, unless --backend or GOMLX_BACKEND says otherwise.`, few),
		Example: `  mmiln predict --run runs/mmiln-planted-s1111-20261124-231500 --data .data/planted > predictions.csv
  mmiln predict --run runs/mmiln-planted-s1111-20261124-231500 --json | head
  mmiln predict --run runs/mosi-mosi2199-s1111-20261125-030452 --text "it was really good" --audio clip.npy`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if given.given() {
				return given.predict(command, &t)
			}
			rows, err := t.predict(command)
			if err != nil {
				return err
			}
			if t.json {
				return printJSON(command.OutOrStdout(), rows)
			}
			return printPredictions(command.OutOrStdout(), rows)
		},
	}
	t.flags(command)
	given.flags(command)
	return command
}

func printPredictions(out io.Writer, rows []record.Prediction) error {
	w := csv.NewWriter(out)
	tasks := slices.Sorted(maps.Keys(rows[0].Tasks))
	_ = w.Write(append([]string{"id", "label", "prediction"}, tasks...)) // errors stay until Flush
	for _, row := range rows {
		cells := []string{row.ID, number(row.Label), number(row.Value)}
		for _, task := range tasks {
			cells = append(cells, number(row.Tasks[task]))
		}
		_ = w.Write(cells)
	}
	w.Flush()
	return w.Error()
}

func number(v float32) string { return strconv.FormatFloat(float64(v), 'g', -1, 32) }
