package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
	"github.com/mmiln/workbench/plots"
)

// compare draws the charts that put rows beside each other and beside the paper.
func (v *view) compare() error {
	if v.Table == nil {
		return nil
	}
	drawn, err := v.comparisons()
	if err != nil {
		return err
	}
	for _, c := range drawn {
		html, err := c.HTML()
		if err != nil {
			return err
		}
		v.Comparisons = append(v.Comparisons, html)
	}
	return nil
}

func (v *view) comparisons() (drawn []plots.Chart, err error) {
	dataset := paper.MOSI
	if slices.ContainsFunc(v.Table.Rows, func(r table.Row) bool { return strings.Contains(strings.ToUpper(r.Data), paper.MOSEI) }) {
		dataset = paper.MOSEI
	}
	for _, name := range table.PaperMetrics {
		c, err := plots.Table2(v.Table, dataset, name)
		if err != nil {
			return nil, err
		}
		drawn = append(drawn, c)
	}
	for _, family := range []struct {
		key  string
		draw func(*table.Table, string) (plots.Chart, error)
	}{{"mmiln.ablation", plots.Ablations}, {"mmiln.layers", plots.Layers}} {
		part, err := v.differing(family.key)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"non0_acc2", "mae", "corr"} {
			if part == nil {
				break
			}
			c, err := family.draw(part, name)
			if err != nil {
				return nil, err
			}
			drawn = append(drawn, c)
		}
	}
	return drawn, nil
}

// differing is the largest part of the table whose rows differ in one setting and in no other; nil where there is none.
func (v *view) differing(key string) (*table.Table, error) {
	var parts [][]table.Row
	at := map[string]int{}
	for _, row := range v.Table.Rows {
		if len(row.Seeds) == 0 {
			continue
		}
		run, err := record.Open(row.Seeds[0].Run)
		if err != nil {
			return nil, err
		}
		setup, err := experiment.Setup(run.Manifest())
		if err != nil {
			return nil, err
		}
		delete(setup, key)
		rest := fmt.Sprint(setup)
		if _, ok := at[rest]; !ok {
			at[rest], parts = len(parts), append(parts, nil)
		}
		parts[at[rest]] = append(parts[at[rest]], row)
	}
	part := *v.Table
	part.Rows = slices.MaxFunc(append(parts, nil), func(a, b []table.Row) int { return len(a) - len(b) })
	if len(part.Rows) < 2 {
		return nil, nil
	}
	return &part, nil
}

// settingOf is one value of a run's configuration, as JSON.
func settingOf(run *record.Reader, key string) (string, error) {
	settings, err := experiment.Settings(run.Manifest())
	return settings[key], err
}

// looked draws single examples: how open g_s is along them, and what text attends to in the last layer.
func looked(looks []experiment.Look) (charts []plots.Chart, missing []error) {
	for _, l := range looks {
		for _, modality := range mmiln.Auxiliary {
			along, err := plots.AlongOf(l, modality)
			var c plots.Chart
			if err == nil {
				c, err = plots.GateSteps(along)
			}
			if err != nil {
				missing = append(missing, err)
				continue
			}
			charts = append(charts, c)
		}
		c, err := attention(l)
		if err != nil {
			missing = append(missing, err)
			continue
		}
		charts = append(charts, c)
	}
	return charts, missing
}

// attention draws the last self-attention over text.
func attention(l experiment.Look) (plots.Chart, error) {
	for _, name := range slices.Backward(l.Names) {
		if strings.HasSuffix(name, ".self.probabilities") {
			a, err := plots.AttendedOf(l, name)
			if err != nil {
				return plots.Chart{}, err
			}
			return plots.Attention(a)
		}
	}
	return plots.Chart{}, fmt.Errorf("report: the model let out no attention over text for %s", l.Info.ID)
}
