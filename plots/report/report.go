// Package report writes one HTML file about one or more runs: what is claimed and whether it holds, the paper's numbers beside
// ours, the charts, and everything that it takes to do it again. The file opens without a network and runs no script but its
// own, whose hash its content security policy names.
package report

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io"
	"time"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
	"github.com/mmiln/workbench/plots"
)

// Page is what a report is made of. Only Runs must be given.
type Page struct {
	Title string
	Runs  []*record.Reader
	Looks []experiment.Look // single examples as the first run's model sees them
	Made  time.Time         // printed; zero: not
	Note  string            // printed below the title

	Playground Playground
}

// Playground is a section with scripts of its own, such as a model that runs in the page. The zero value is none.
type Playground struct {
	Section template.HTML // trusted markup; data in it stands in <script type="application/…"> blocks, which do not run
	Scripts []string      // run at the end of the page, in order; their hashes go into the policy
	Sources []string      // what the policy must allow scripts beside, such as 'wasm-unsafe-eval', with the quotes
}

// maxDetailed is how many rows are shown with all charts of their first run.
const maxDetailed = 4

//go:embed page.html page.css
var files embed.FS

var page = template.Must(template.New("page.html").Funcs(functions).ParseFS(files, "page.html"))

// view is what the template reads.
type view struct {
	Page
	Policy  template.HTMLAttr
	Style   template.CSS
	Scripts []template.JS

	Claims      []Claim
	Verdict     string
	Table       *table.Table
	Comparisons []template.HTML
	Details     []detail
	Cards       []card
	Costs       []cost
	Settings    settings
	Readings    []reading
	Recipes     []recipe
	Failures    []failure
	Missing     []string
}

// detail is one row's first run in charts.
type detail struct {
	Name, Run string
	Charts    []template.HTML
}

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	if len(p.Runs) == 0 {
		return errors.New("report: there is nothing to report; give run folders, such as runs/*")
	}
	v := view{Page: p}
	for _, fill := range []func(*view) error{(*view).results, (*view).charts, (*view).cards, (*view).claims, (*view).assets} {
		if err := fill(&v); err != nil {
			return err
		}
	}
	var out bytes.Buffer // an error must not leave half a page
	if err := page.Execute(&out, v); err != nil {
		return err
	}
	_, err := w.Write(out.Bytes())
	return err
}

// results computes the table of all finished runs, and keeps what did not finish.
func (v *view) results() error {
	groups, err := plots.Groups(v.Runs)
	if err != nil {
		return err
	}
	for _, run := range v.Runs {
		if m := run.Manifest(); m.Status != record.Finished {
			v.Failures = append(v.Failures, failure{m.Name, string(m.Status), m.Error})
		}
	}
	if len(groups) == 0 {
		return nil
	}
	v.Table, err = table.Compute(groups, table.Options{Title: v.Title, Resamples: 2000, Seed: 1})
	return err
}

type failure struct{ Run, Status, Cause string }

// charts draws the comparisons and, row by row, the first run.
func (v *view) charts() error {
	if err := v.compare(); err != nil {
		return err
	}
	for i, run := range v.firstRuns() {
		if i == maxDetailed {
			break
		}
		charts, missing := plots.Of(run, truthsOf(run.Manifest()))
		if i == 0 {
			more, err := looked(v.Looks)
			charts, missing = append(charts, more...), append(missing, err...)
		}
		d := detail{Name: run.Manifest().Model, Run: run.Manifest().Name}
		for _, c := range charts {
			html, err := c.HTML()
			if err != nil {
				return err
			}
			d.Charts = append(d.Charts, html)
		}
		for _, err := range missing {
			v.Missing = append(v.Missing, err.Error())
		}
		v.Details = append(v.Details, d)
	}
	return nil
}

// firstRuns are the first run of every row or, where nothing finished, all runs.
func (v *view) firstRuns() (first []*record.Reader) {
	if v.Table == nil {
		return v.Runs
	}
	for _, row := range v.Table.Rows {
		for _, run := range v.Runs {
			if len(row.Seeds) > 0 && run.Dir() == row.Seeds[0].Run {
				first = append(first, run)
			}
		}
	}
	return first
}
