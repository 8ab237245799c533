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
	families := []struct {
		of   func(string) (string, error)
		draw func(*table.Table, string) (plots.Chart, error)
	}{{ablationOf, plots.Ablations}, {layersOf, plots.Layers}}
	for _, family := range families {
		part, err := v.differing(family.of)
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

// differing is the part of the table whose rows differ in one setting; nil where all have the same.
func (v *view) differing(of func(dir string) (string, error)) (*table.Table, error) {
	part := *v.Table
	part.Rows = nil
	values := map[string]bool{}
	for _, row := range v.Table.Rows {
		if len(row.Seeds) == 0 {
			continue
		}
		value, err := of(row.Seeds[0].Run)
		if err != nil {
			return nil, err
		}
		if !values[value] {
			part.Rows = append(part.Rows, row)
		}
		values[value] = true
	}
	if len(values) < 2 {
		return nil, nil
	}
	return &part, nil
}

func ablationOf(dir string) (string, error) { return settingOf(dir, "mmiln.ablation") }
func layersOf(dir string) (string, error)   { return settingOf(dir, "mmiln.layers") }

func settingOf(dir, key string) (string, error) {
	run, err := record.Open(dir)
	if err != nil {
		return "", err
	}
	settings, err := run.Manifest().Settings()
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
