// Package table puts results of runs beside the paper's: means and deviations over seeds, intervals, differences from a chosen
// row with what is significant about them, and every seed. It reads run folders and nothing else; see package statistics for
// what is resampled.
package table

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/statistics"
)

// Group is a row: finished runs that differ in nothing but their seed. One without runs shows the paper's scores alone.
type Group struct {
	Name      string             // shown
	Data      string             // shown
	Runs      []string           // run folders
	Paper     map[string]float64 // the paper's scores by metric (fractions for accuracies and F1); nil: none
	PaperNote string             // where they stand, such as "Table 3, MOSEI"
	Search    string             // what was searched on validation, shown beside the row
}

// Options of a table. The zero value has the paper's six metrics, no row to compare with, and 10000 resamples.
type Options struct {
	Title     string
	Metrics   []string // names of package metric
	Reference string   // name of the group that the others of the same data set are compared with; "": none
	Resamples int
	Seed      uint64 // of resampling
}

// PaperMetrics are those that the paper reports.
var PaperMetrics = []string{"has0_acc2", "has0_f1", "non0_acc2", "non0_f1", "mae", "corr"}

const (
	defaultResamples = 10_000
	level            = 0.95 // of intervals
)

// Table is a computed table, plain data.
type Table struct {
	Title     string     `json:"title"`
	Metrics   []string   `json:"metrics"`
	Reference string     `json:"reference,omitempty"`
	Resamples int        `json:"resamples"`
	Seed      uint64     `json:"resampling_seed"`
	Rows      []Row      `json:"rows"`
	Constants []Constant `json:"constants"`
}

// Row is a group with what came out.
type Row struct {
	Name      string        `json:"name"`
	Data      string        `json:"data"`
	Examples  int           `json:"examples"`         // of the test split; 0 where there is no run
	Seeds     []Seed        `json:"seeds"`            // in the order of their seeds
	Scores    []Score       `json:"scores"`           // in the order of the table's metrics
	DZ        record.Number `json:"cohens_d_z"`       // on absolute errors against the reference, negative where this row errs less
	PaperNote string        `json:"paper,omitempty"`  // where the paper's scores stand
	Search    string        `json:"search,omitempty"` // what was searched on validation
}

// Seed is one run of a row.
type Seed struct {
	Run   string        `json:"run"`
	Seed  uint64        `json:"seed"`
	Valid metric.Scores `json:"valid"`
	Test  metric.Scores `json:"test"`
}

// Score is one cell. Deviations are NaN (null) for a single seed, all but Paper where there is no run.
type Score struct {
	Metric   string           `json:"metric"`
	Valid    MeanStd          `json:"valid"`
	Test     MeanStd          `json:"test"`
	Interval [2]record.Number `json:"interval_95"` // of the test mean, over examples
	Paper    record.Number    `json:"paper"`
	VsPaper  record.Number    `json:"minus_paper"`
	// Against is the difference from the reference row of the same data set; nil for that row itself and where there is none.
	Against *Difference `json:"against_reference,omitempty"`
}

// MeanStd is taken over seeds; the deviation is that of a sample.
type MeanStd struct {
	Mean record.Number `json:"mean"`
	Std  record.Number `json:"std"`
}

// Difference is this row's test score minus the reference's, with two tests of whether it is zero. The adjusted p-values hold
// over all comparisons of the table (Holm).
type Difference struct {
	Value          record.Number    `json:"value"`
	Interval       [2]record.Number `json:"interval_95"`
	P              record.Number    `json:"p_permutation"`
	PHolm          record.Number    `json:"p_permutation_holm"`
	PBootstrap     record.Number    `json:"p_bootstrap"`
	PBootstrapHolm record.Number    `json:"p_bootstrap_holm"`
}

// Constant is what the median of the training labels scores on a test split: what must be beaten.
type Constant struct {
	Data   string        `json:"data"`
	Scores metric.Scores `json:"test"`
}

// Compute reads the runs and does the statistics. It is an error, naming the run, if one is unknown or unfinished, if the runs of
// a row differ in more than their seed or share one, if rows of the same data set were tested on different examples, and if a
// metric or the reference does not exist.
func Compute(groups []Group, o Options) (*Table, error) {
	if err := o.complete(groups); err != nil {
		return nil, err
	}
	rows := make([]*row, len(groups))
	for i, g := range groups {
		var err error
		if rows[i], err = read(g); err != nil {
			return nil, fmt.Errorf("row %q: %w", g.Name, err)
		}
	}
	c := computer{o, statistics.Options{Resamples: o.Resamples, Seed: o.Seed}, rows}
	return c.table()
}

// complete fills in defaults and checks what can be checked without a run.
func (o *Options) complete(groups []Group) error {
	if len(groups) == 0 {
		return errors.New("a table needs a row: give runs")
	}
	if len(o.Metrics) == 0 {
		o.Metrics = slices.Clone(PaperMetrics)
	}
	if o.Resamples == 0 {
		o.Resamples = defaultResamples
	}
	for _, name := range o.Metrics {
		if _, err := metric.Better(name); err != nil {
			return err
		}
	}
	return o.checkReference(groups)
}

func (o *Options) checkReference(groups []Group) error {
	var names []string
	seen := map[[2]string]bool{}
	for _, g := range groups {
		if len(g.Runs) == 0 {
			continue
		}
		names = append(names, fmt.Sprintf("%q", g.Name))
		key := [2]string{g.Name, g.Data}
		if g.Name == o.Reference && seen[key] {
			return fmt.Errorf("two rows are called %q on %q; give the row to compare with a name of its own", g.Name, g.Data)
		}
		seen[key] = true
	}
	isReference := func(g Group) bool { return g.Name == o.Reference && len(g.Runs) > 0 }
	if o.Reference != "" && !slices.ContainsFunc(groups, isReference) {
		return fmt.Errorf("no row with runs is called %q, to compare with; there are %s", o.Reference, strings.Join(names, ", "))
	}
	return nil
}
