package plan

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/tune"
)

func (f File) expandSearch(p *Plan) error {
	sweeps := slices.ContainsFunc(f.Models, func(m Model) bool { return len(m.Sweep) > 0 })
	if f.Tune == nil {
		if sweeps {
			return errors.New("a [[model]] has a sweep and there is no [tune]; add one with a method")
		}
		return nil
	}
	t := *f.Tune
	if t.Select == "" {
		t.Select = "mae"
	}
	if len(t.Sweep) == 0 && !sweeps {
		return errors.New("[tune] has nothing to search; sweep at least one key")
	}
	if _, err := tune.New(t.Method, t.Trials, t.Seed); err != nil {
		return fmt.Errorf("[tune] %w", err)
	}
	switch {
	case t.Method == "grid" && t.Trials != 0:
		return fmt.Errorf("[tune] trials is %d; a grid has as many trials as points, leave it out", t.Trials)
	case t.Method != "grid" && (t.Trials < 1 || t.Trials > 10000):
		return fmt.Errorf("[tune] trials is %d; use 1 to 10000", t.Trials)
	}
	p.Search = &Search{t.Method, t.Trials, t.Seed, t.Select}
	return nil
}

// expandRows makes the rows of each data set in turn.
func (f File) expandRows(p *Plan) error {
	variants := f.Variants
	if len(variants) == 0 {
		variants = []Variant{{}}
	}
	for _, d := range f.Data {
		for _, m := range f.Models {
			if len(m.Data) > 0 && !slices.Contains(m.Data, d.Name) {
				continue
			}
			for _, v := range variants {
				if len(v.Models) > 0 && !slices.Contains(v.Models, m.Name) {
					continue
				}
				if err := f.expandRow(p, d, m, v); err != nil {
					return err
				}
			}
		}
	}
	if len(p.Rows) == 0 {
		return errors.New("no model has a variant and a data set; loosen models and data")
	}
	return p.checkDistinct()
}

func (f File) expandRow(p *Plan, d Data, m Model, v Variant) (err error) {
	row := Row{Name: f.rowName(m, v), Data: d.Name, Slug: plain(m.Name, v.Name, d.Name)}
	for i := 2; slices.ContainsFunc(p.Rows, func(r Row) bool { return r.Slug == row.Slug }); i++ {
		row.Slug = plain(m.Name, v.Name, d.Name, fmt.Sprint(i))
	}
	if row.Config, err = f.config(plain(m.Name, v.Name), d, m, v); err != nil {
		return err
	}
	if row.Paper, err = f.paper(d, m, v); err != nil {
		return err
	}
	if f.Tune != nil {
		if row.Space, err = space(f.Tune.Sweep, m.Sweep); err != nil {
			return err
		}
		if err := f.checkSpace(row); err != nil {
			return fmt.Errorf("row %q: sweep: %w", row.Name, err)
		}
	}
	p.Rows = append(p.Rows, row)
	return nil
}

// rowName leaves out what all rows have in common.
func (f File) rowName(m Model, v Variant) string {
	switch {
	case v.Name == "":
		return m.Name
	case len(f.Models) == 1:
		return v.Name
	}
	return m.Name + " " + v.Name
}

// config is the model's base with all settings in their order.
func (f File) config(name string, d Data, m Model, v Variant) (c experiment.Config, err error) {
	all := []string{fmt.Sprintf("name=%q", name), fmt.Sprintf("seed=%d", f.Seeds[0]), fmt.Sprintf("data.dir=%q", d.Dir)}
	for _, part := range []struct {
		where string
		set   map[string]any
	}{
		{"set", f.Set}, {fmt.Sprintf("[[model]] %q: set", m.Name), m.Set}, {fmt.Sprintf("[[data]] %q: set", d.Name), d.Set},
		{fmt.Sprintf("[[variant]] %q: set", v.Name), v.Set},
	} {
		more, err := settings(part.set)
		if err != nil {
			return c, fmt.Errorf("%s: %w", part.where, err)
		}
		all = append(all, more...)
	}
	if m.Config == "" {
		return c, fmt.Errorf("[[model]] %q has no config; give a TOML file or one of %s", m.Name, strings.Join(experiment.Shipped(), ", "))
	}
	if c, err = experiment.Load(m.Config, all...); err != nil {
		return c, fmt.Errorf("[[model]] %q%s: %w%s", m.Name, variantOf(v), err, meantConfig(m.Config))
	}
	if c.Train.Sealed {
		return c, fmt.Errorf("[[model]] %q: %s has train.sealed, so its runs would have no test scores; set it to false there", m.Name, m.Config)
	}
	c.ExpectNothing() // what the base gives says nothing of this row
	return c, nil
}

func variantOf(v Variant) string {
	if v.Name == "" {
		return ""
	}
	return fmt.Sprintf(", variant %q", v.Name)
}

func meantConfig(name string) string {
	if _, err := os.Stat(name); err == nil || slices.Contains(experiment.Shipped(), name) {
		return ""
	}
	return meant(name, experiment.Shipped())
}

// paper is the row of the paper that stands beside one of ours: the variant's, or the model's where it is as it is.
func (f File) paper(d Data, m Model, v Variant) (*Paper, error) {
	row := v.Paper
	if v.Name == "" {
		row = m.Paper
	}
	if row == nil || d.Paper == "" {
		return nil, nil
	}
	_, _, err := row.Scores(d.Paper)
	return row, err
}

// Scores are those of the paper, by name of metric, for one of its data sets; the note says where they stand.
func (p Paper) Scores(dataset string) (scores map[string]float64, note string, err error) {
	var found paper.Scores
	switch p.Table {
	case 2:
		if found, err = paper.Lookup(p.Row, dataset); err != nil {
			return nil, "", err
		}
	case 3:
		if found, err = paper.LookupAblation(p.Row); err != nil {
			return nil, "", err
		}
		dataset = paper.MOSEI
	default:
		return nil, "", fmt.Errorf("paper: table is %d; scores stand in Tables 2 and 3", p.Table)
	}
	return found.All(), fmt.Sprintf("Table %d, %s", p.Table, dataset), nil
}

// checkSpace tries each value, and both ends and the middle of each range, in the configuration.
func (f File) checkSpace(row Row) error {
	if err := row.Space.Validate(); err != nil {
		return err
	}
	for i, p := range row.Space {
		if f.Tune.Method == "grid" && p.IsRange() {
			return fmt.Errorf("%s has a range, which has no grid; list its values, or use method random or tpe", p.Key)
		}
		tries := []float64{p.Low, p.Low + (p.High-p.Low)/3, p.High}
		if p.Integer {
			tries = []float64{p.Low, p.High}
		}
		if !p.IsRange() {
			tries = nil
			for j := range p.Values {
				tries = append(tries, float64(j))
			}
		}
		for _, try := range tries {
			if _, err := row.Config.With(row.Space[i : i+1].Settings(tune.Point{try})...); err != nil {
				return err
			}
		}
	}
	if n := (tune.Grid{}).Total(row.Space); f.Tune.Method == "grid" && n > 10000 {
		return fmt.Errorf("the grid has %d points; 10000 is the most", n)
	}
	return nil
}

// checkDistinct refuses two rows that would run the same.
func (p *Plan) checkDistinct() error {
	seen := map[string]string{}
	for _, row := range p.Rows {
		c := row.Config
		c.Name = ""
		c.ExpectNothing()
		text, err := c.TOML()
		if err != nil {
			return err
		}
		if other, ok := seen[string(text)]; ok {
			return fmt.Errorf("rows %q and %q have the same configuration; change or remove one", other, row.Name)
		}
		seen[string(text)] = row.Name
	}
	return nil
}
