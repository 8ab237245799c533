package plots

import (
	"fmt"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// Groups puts finished runs that differ in nothing but their seed into one row each, in the order of their first runs, for
// table.Compute. Rows get the paper's scores where the paper has them for the same system on the same data.
func Groups(runs []*record.Reader) ([]table.Group, error) {
	var groups []table.Group
	at := map[string]int{}
	for _, run := range runs {
		m := run.Manifest()
		if _, err := experiment.ResultOf(m); err != nil {
			continue
		}
		setup, err := experiment.Setup(m)
		if err != nil {
			return nil, err
		}
		key := fmt.Sprint(setup) // maps print in the order of their keys
		i, ok := at[key]
		if !ok {
			g := table.Group{Name: m.Model, Data: m.Data.Name}
			g.Paper, g.PaperNote = Reported(m)
			i = len(groups)
			at[key], groups = i, append(groups, g)
		}
		groups[i].Runs = append(groups[i].Runs, run.Dir())
	}
	tellApart(groups)
	return groups, nil
}

// Reported are the paper's scores for a run, all that Tables 2 and 3 have.
func Reported(m record.Manifest) (scores map[string]float64, note string) {
	c, err := experiment.ConfigIn(m)
	if err != nil {
		return nil, ""
	}
	found, note := lookup(c, m.Data.Name)
	if note == "" {
		return nil, ""
	}
	return found.All(), note
}

// lookup finds what the paper reports for a system on a data set. The note is empty where that is nothing.
func lookup(c experiment.Config, dataset string) (found paper.Scores, note string) {
	var err error
	if name, ok := ablations[c.MMILN.Ablation]; ok && c.System == "mmiln" {
		if !strings.Contains(strings.ToUpper(dataset), paper.MOSEI) {
			return found, ""
		}
		found, err = paper.LookupAblation(name)
		note = "Table 3, MOSEI"
	} else {
		found, err = paper.Lookup(paperName(c), dataset)
		note = "Table 2, " + dataset
	}
	if err != nil {
		return found, ""
	}
	return found, note
}

// ablations are what Table 3 calls them.
var ablations = map[string]string{"no_mrm": "-MRM", "no_mfm": "-MFM", "no_gate_fusion": "-GateFusion"}

// tellApart numbers rows of the same name and data.
func tellApart(groups []table.Group) {
	total, seen := map[[2]string]int{}, map[[2]string]int{}
	for _, g := range groups {
		total[[2]string{g.Name, g.Data}]++
	}
	for i, g := range groups {
		key := [2]string{g.Name, g.Data}
		seen[key]++
		if total[key] > 1 {
			groups[i].Name = fmt.Sprintf("%s (%d)", g.Name, seen[key])
		}
	}
}
