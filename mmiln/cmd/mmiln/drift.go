package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/stat"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

func driftCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "drift RUN...",
		Short: "pseudo-labels against the unimodal truth, epoch by epoch, mean over runs",
		Long: `Show how well ULGM's pseudo-labels correlate with the unimodal truth, where the data knows it, beside how well the
multimodal label does: mean over the runs, epoch by epoch. A run that stopped earlier counts with its last epoch.`,
		Example: `  mmiln drift runs/planted-planted-s111*`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			curves, err := readDrift(args)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), curves)
			}
			return printDrift(command.OutOrStdout(), curves)
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// driftCurve is one task's correlations with the truth, means over runs, by epoch.
type driftCurve struct {
	Task       mmiln.Task `json:"task"`
	Pseudo     []float64  `json:"pseudo"`     // of the pseudo-labels
	Multimodal float64    `json:"multimodal"` // of y_m, which never changes
	Above      int        `json:"above"`      // runs whose last pseudo-labels are above y_m
	Runs       int        `json:"runs"`
}

func readDrift(dirs []string) ([]driftCurve, error) {
	logs := make([][]experiment.ULGMLine, len(dirs))
	epochs := 0
	for i, dir := range dirs {
		reader, err := record.Open(dir)
		if err != nil {
			return nil, err
		}
		if logs[i], err = record.Read[experiment.ULGMLine](reader, record.ULGM); err != nil {
			return nil, err
		}
		if len(logs[i]) == 0 {
			return nil, fmt.Errorf("%s has no epoch yet", dir)
		}
		epochs = max(epochs, len(logs[i]))
	}
	var curves []driftCurve
	for _, task := range []mmiln.Task{mmiln.Text, mmiln.Audio, mmiln.Vision} {
		if curve, ok := curveOf(task, logs, epochs); ok {
			curves = append(curves, curve)
		}
	}
	if len(curves) == 0 {
		return nil, errors.New("the data of these runs has no unimodal truth to compare with; the planted data set has")
	}
	return curves, nil
}

func curveOf(task mmiln.Task, logs [][]experiment.ULGMLine, epochs int) (driftCurve, bool) {
	c := driftCurve{Task: task, Runs: len(logs)}
	last := func(log []experiment.ULGMLine, epoch int) experiment.LabelDrift {
		return log[min(epoch, len(log)-1)].Tasks[task]
	}
	for _, log := range logs {
		if d, ok := log[0].Tasks[task]; !ok || math.IsNaN(float64(d.Truth)) {
			return c, false
		}
	}
	for epoch := range epochs {
		var values []float64
		for _, log := range logs {
			values = append(values, float64(last(log, epoch).Truth))
		}
		c.Pseudo = append(c.Pseudo, stat.Mean(values, nil))
	}
	for _, log := range logs {
		d := last(log, epochs)
		c.Multimodal += float64(d.MultimodalTruth) / float64(len(logs))
		if d.Truth > d.MultimodalTruth {
			c.Above++
		}
	}
	return c, true
}

func printDrift(out io.Writer, curves []driftCurve) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "epoch\t")
	for _, c := range curves {
		fmt.Fprintf(w, "%s\t", c.Task)
	}
	fmt.Fprintln(w)
	for epoch := range slices.MaxFunc(curves, func(a, b driftCurve) int { return len(a.Pseudo) - len(b.Pseudo) }).Pseudo {
		fmt.Fprintf(w, "%d\t", epoch+1)
		for _, c := range curves {
			fmt.Fprintf(w, "%.3f\t", c.Pseudo[epoch])
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "y_m\t")
	for _, c := range curves {
		fmt.Fprintf(w, "%.3f\t", c.Multimodal)
	}
	fmt.Fprintln(w)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, c := range curves {
		fmt.Fprintf(out, "%s: above y_m at the end in %d of %d runs\n", c.Task, c.Above, c.Runs)
	}
	return nil
}
