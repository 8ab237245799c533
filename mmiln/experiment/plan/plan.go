package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/tune"
)

// Plan is an experiment expanded: all that running it needs, so that later changes to configurations do not reach it.
type Plan struct {
	Name       string    `json:"name"`
	Title      string    `json:"title"`
	Reproduces string    `json:"reproduces"`
	Cost       string    `json:"cost"`
	Expect     string    `json:"expect"`
	Seeds      []uint64  `json:"seeds"`
	Metrics    []string  `json:"metrics"`
	Reference  string    `json:"reference"`
	Data       []Data    `json:"data"`
	Rows       []Row     `json:"rows"`
	Search     *Search   `json:"search,omitempty"`
	Beside     []Paper   `json:"beside,omitempty"`
	LeftOut    []LeftOut `json:"left_out,omitempty"`
}

// Row is one configuration, run with every seed.
type Row struct {
	Name   string            `json:"name"` // unique on its data set
	Data   string            `json:"data"` // the data set's name
	Slug   string            `json:"slug"` // unique; names files
	Paper  *Paper            `json:"paper,omitempty"`
	Space  tune.Space        `json:"space,omitempty"` // empty: nothing is searched
	Config experiment.Config `json:"-"`               // before any search, with the first seed
}

// Search is how the rows that have a space are tuned.
type Search struct {
	Method string `json:"method"`
	Trials int    `json:"trials"`
	Seed   uint64 `json:"seed"`
	Select string `json:"select"` // a metric of the validation split
}

// paperMetrics are the columns of Table 2.
var paperMetrics = []string{"has0_acc2", "has0_f1", "non0_acc2", "non0_f1", "corr", "mae"}

// Load reads and expands an experiment: a file, or the name of one that is shipped. Seeds, where there are any, replace its own.
func Load(nameOrPath string, seeds ...uint64) (*Plan, []byte, error) {
	name, text, err := Source(nameOrPath)
	if err != nil {
		return nil, nil, err
	}
	f, err := Parse(nameOrPath, text)
	if err != nil {
		return nil, nil, err
	}
	if len(seeds) > 0 {
		f.Seeds = seeds
	}
	p, err := f.Expand(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", nameOrPath, err)
	}
	return p, text, nil
}

// Expand checks everything and makes the rows. The plan's name names the folder of its runs.
func (f File) Expand(name string) (*Plan, error) {
	p := &Plan{
		Name: plain(name), Title: cmp.Or(f.Title, name), Reproduces: f.Reproduces, Cost: f.Cost, Expect: f.Expect, Seeds: f.Seeds,
		Metrics: f.Metrics, Data: f.Data, Beside: f.Beside, LeftOut: f.LeftOut,
	}
	for _, check := range []func(*Plan) error{f.checkSeeds, f.checkMetrics, f.checkData, f.checkBeside, f.checkNames, f.expandSearch, f.expandRows, f.chooseReference} {
		if err := check(p); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (f File) checkSeeds(*Plan) error {
	if len(f.Seeds) == 0 {
		return fmt.Errorf("seeds is empty; list at least one, such as seeds = [1111, 1112, 1113]")
	}
	if again := repeated(f.Seeds); again >= 0 {
		return fmt.Errorf("seeds lists %d twice; remove one", f.Seeds[again])
	}
	return nil
}

func (f File) checkMetrics(p *Plan) error {
	if len(p.Metrics) == 0 {
		p.Metrics = paperMetrics
	}
	names := p.Metrics
	if f.Tune != nil && f.Tune.Select != "" {
		names = append([]string{f.Tune.Select}, names...)
	}
	for _, name := range names {
		if _, err := metric.Better(name); err != nil {
			return fmt.Errorf("no metric is called %q%s; there are %s", name, meant(name, metric.Names()), strings.Join(metric.Names(), ", "))
		}
	}
	return nil
}

func (f File) checkData(*Plan) error {
	if len(f.Data) == 0 {
		return fmt.Errorf("there is no [[data]]; name at least one data set")
	}
	for _, d := range f.Data {
		switch {
		case d.Dir == "":
			return fmt.Errorf("[[data]] %q has no dir; name the folder of a data set", d.Name)
		case !slices.Contains([]string{"", "demo", "mosi", "mosei"}, d.Planted):
			return fmt.Errorf("[[data]] %q: planted is %q; use demo, mosi or mosei", d.Name, d.Planted)
		case !slices.Contains([]string{"", paper.MOSI, paper.MOSEI}, d.Paper):
			return fmt.Errorf("[[data]] %q: paper is %q; use %s or %s", d.Name, d.Paper, paper.MOSI, paper.MOSEI)
		}
	}
	return nil
}

func (f File) checkBeside(*Plan) error {
	for _, row := range f.Beside {
		if _, _, err := row.Scores(paper.MOSI); err != nil {
			return fmt.Errorf("beside: %w", err)
		}
	}
	return nil
}

// checkNames looks for names that are missing, given twice or refer to nothing.
func (f File) checkNames(*Plan) error {
	if len(f.Models) == 0 {
		return fmt.Errorf("there is no [[model]]; name at least one")
	}
	var data, models, variants []string
	for _, d := range f.Data {
		data = append(data, d.Name)
	}
	for _, m := range f.Models {
		models = append(models, m.Name)
	}
	for _, v := range f.Variants {
		variants = append(variants, v.Name)
	}
	for _, kind := range []struct {
		name  string
		names []string
	}{{"data", data}, {"model", models}, {"variant", variants}} {
		if slices.Contains(kind.names, "") {
			return fmt.Errorf("a [[%s]] has no name", kind.name)
		}
		if again := repeated(kind.names); again >= 0 {
			return fmt.Errorf("two [[%s]] are called %q; rename one", kind.name, kind.names[again])
		}
	}
	for _, m := range f.Models {
		if err := known(fmt.Sprintf("[[model]] %q: data", m.Name), m.Data, data); err != nil {
			return err
		}
	}
	for _, v := range f.Variants {
		if err := known(fmt.Sprintf("[[variant]] %q: models", v.Name), v.Models, models); err != nil {
			return err
		}
	}
	return nil
}

func known(where string, names, all []string) error {
	for _, name := range names {
		if !slices.Contains(all, name) {
			return fmt.Errorf("%s has %q%s; there are %s", where, name, meant(name, all), strings.Join(all, ", "))
		}
	}
	return nil
}

// repeated is the index of the first value that is there before; -1 where all differ.
func repeated[T comparable](values []T) int {
	for i := range values {
		if slices.Contains(values[:i], values[i]) {
			return i
		}
	}
	return -1
}

func (f File) chooseReference(p *Plan) error {
	var names []string
	for _, row := range p.Rows {
		names = append(names, row.Name)
	}
	if p.Reference = cmp.Or(f.Reference, names[0]); !slices.Contains(names, p.Reference) {
		return fmt.Errorf("reference is %q%s; the rows are %s", f.Reference, meant(f.Reference, names), strings.Join(names, ", "))
	}
	return nil
}

var notPlain = regexp.MustCompile(`[^a-z0-9._]+`)

// plain turns names into a part of a file name.
func plain(names ...string) string {
	return cmp.Or(strings.Trim(notPlain.ReplaceAllString(strings.ToLower(strings.Join(names, "-")), "-"), "-._"), "unnamed")
}
