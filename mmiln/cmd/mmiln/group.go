package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// group is the finished runs of one configuration on one data set, whatever their seeds.
type group struct {
	Name     string         `json:"name"`
	ID       string         `json:"id"` // of the settings: with the name, what compare takes
	Data     string         `json:"data"`
	Runs     []string       `json:"runs"` // folders, in the order of seeds; of two with one seed, the newer
	Seeds    []uint64       `json:"seeds"`
	Repeated int            `json:"repeated"` // older runs that have the seed of a newer one, and are left out
	Valid    metric.Summary `json:"valid"`
	Test     metric.Summary `json:"test"`
	Constant metric.Scores  `json:"constant"`

	members []member
}

type member struct {
	dir    string
	seed   uint64
	result experiment.Result
}

// handle is how the group is named on the command line.
func (g *group) handle() string { return g.Name + "@" + g.ID }

// groupRuns puts seeds together, in the order of their first runs.
func groupRuns(list []record.Summary) ([]*group, error) {
	var groups []*group
	byHandle := map[string]*group{}
	for _, run := range list {
		result, err := experiment.ResultOf(run.Manifest)
		if err != nil {
			continue
		}
		m := member{dir: run.Dir, seed: run.Manifest.Seed, result: result}
		id, err := setupID(run.Manifest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", run.Dir, err)
		}
		g := &group{Name: run.Manifest.Model, ID: id, Data: run.Manifest.Data.Name, Constant: m.result.Constant}
		if known := byHandle[g.handle()]; known != nil {
			g = known
		} else {
			byHandle[g.handle()], groups = g, append(groups, g)
		}
		g.add(m)
	}
	for _, g := range groups {
		if err := g.summarise(); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// setupID is the same for runs that differ in nothing but seed, name and where the data lie.
func setupID(m record.Manifest) (string, error) {
	setup, err := experiment.Setup(m)
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, key := range slices.Sorted(maps.Keys(setup)) {
		fmt.Fprintf(hash, "%s=%s\n", key, setup[key])
	}
	return hex.EncodeToString(hash.Sum(nil))[:6], nil
}

// add takes the newer of two runs with one seed; lists have the newest last.
func (g *group) add(m member) {
	before := len(g.members)
	g.members = slices.DeleteFunc(g.members, func(k member) bool { return k.seed == m.seed })
	g.Repeated += before - len(g.members)
	g.members = append(g.members, m)
}

func (g *group) summarise() (err error) {
	slices.SortFunc(g.members, func(a, b member) int { return cmp.Compare(a.seed, b.seed) })
	var valid, test []metric.Scores
	for _, m := range g.members {
		g.Runs, g.Seeds = append(g.Runs, m.dir), append(g.Seeds, m.seed)
		valid, test = append(valid, m.result.Valid), append(test, m.result.Test)
	}
	if g.Valid, err = metric.Summarize(valid); err != nil {
		return err
	}
	g.Test, err = metric.Summarize(test)
	return err
}

// printGroups shows mean ± standard deviation over seeds, with the constant predictor of each data set once.
func printGroups(out io.Writer, groups []*group) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "configuration\truns\tvalid MAE\ttest MAE\ttest Corr\ttest Acc-2 (>0)")
	shown, repeated := map[string]bool{}, 0
	var constants strings.Builder
	for _, g := range groups {
		repeated += g.Repeated
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", table.Inert(g.handle()), g.Test.Runs, summary(g.Valid, "mae"), summary(g.Test, "mae"),
			summary(g.Test, "corr"), summary(g.Test, "non0_acc2"))
		if !shown[g.Data] {
			shown[g.Data] = true
			fmt.Fprintf(&constants, "constant predictor on %s: test MAE %s\n", table.Inert(g.Data), format(g.Constant, "mae"))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if repeated > 0 {
		fmt.Fprintf(&constants, "%d older runs have the seed of a newer one and are left out\n", repeated)
	}
	_, err := io.WriteString(out, constants.String())
	return err
}

func summary(s metric.Summary, name string) string {
	text, _ := s.Format(name) // a name of the package's own
	return text
}
