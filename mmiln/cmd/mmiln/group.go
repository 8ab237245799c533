package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// group is the finished runs of one configuration on one data set, whatever their seeds.
type group struct {
	Name     string         `json:"name"`
	Data     string         `json:"data"`
	Valid    metric.Summary `json:"valid"`
	Test     metric.Summary `json:"test"`
	Constant metric.Scores  `json:"constant"`

	valid, test []metric.Scores
}

// groupRuns puts seeds together, in the order of their first runs.
func groupRuns(list []record.Summary) ([]*group, error) {
	var groups []*group
	byKey := map[string]*group{}
	for _, run := range list {
		var result experiment.Result
		if run.Manifest.Status != record.Finished || json.Unmarshal(run.Manifest.Result, &result) != nil {
			continue
		}
		key, err := withoutSeed(run.Manifest)
		if err != nil {
			return nil, fmt.Errorf("%s: run.json: %w", run.Dir, err)
		}
		g := byKey[key]
		if g == nil {
			g = &group{Name: run.Manifest.Model, Data: run.Manifest.Data.Name, Constant: result.Constant}
			byKey[key], groups = g, append(groups, g)
		}
		g.valid, g.test = append(g.valid, result.Valid), append(g.test, result.Test)
	}
	for _, g := range groups {
		var err error
		if g.Valid, err = metric.Summarize(g.valid); err != nil {
			return nil, err
		}
		if g.Test, err = metric.Summarize(g.test); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// withoutSeed is what the runs of a group have in common: settings and data, not where the data lie.
func withoutSeed(m record.Manifest) (string, error) {
	var c experiment.Config
	if err := json.Unmarshal(m.Config, &c); err != nil {
		return "", err
	}
	c.Seed, c.Data.Dir = 0, ""
	text, err := json.Marshal(c)
	return m.Data.Card + string(text), err
}

// printGroups shows mean ± standard deviation over seeds, with the constant predictor of each data set once.
func printGroups(out io.Writer, groups []*group) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "configuration\truns\tvalid MAE\ttest MAE\ttest Corr\ttest Acc-2 (>0)")
	shown := map[string]bool{}
	for _, g := range groups {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", g.Name, g.Test.Runs, summary(g.Valid, "mae"), summary(g.Test, "mae"),
			summary(g.Test, "corr"), summary(g.Test, "non0_acc2"))
		if !shown[g.Data] {
			shown[g.Data] = true
			defer func() {
				fmt.Fprintf(out, "constant predictor on %s: test MAE %s\n", g.Data, format(g.Constant, "mae"))
			}()
		}
	}
	return w.Flush()
}

func summary(s metric.Summary, name string) string {
	text, _ := s.Format(name) // a name of the package's own
	return text
}
