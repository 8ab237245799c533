package table

import (
	"math"
	"slices"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/statistics"
)

// computer turns rows into a table.
type computer struct {
	Options
	resampling statistics.Options
	rows       []*row
}

func (c computer) table() (*Table, error) {
	t := &Table{
		Title: c.Title, Metrics: c.Metrics, Reference: c.Reference, Resamples: c.Resamples, Seed: c.Seed, Constants: []Constant{},
	}
	drawn := make([][]statistics.Distribution, len(c.rows))
	for i, r := range c.rows {
		if len(r.seeds) == 0 {
			continue
		}
		var err error
		if drawn[i], err = statistics.Bootstrap(r.sample, c.Metrics, c.resampling); err != nil {
			return nil, err
		}
	}
	for i, r := range c.rows {
		out, err := c.row(r, drawn[i])
		if err != nil {
			return nil, err
		}
		if err := c.compare(&out, i, drawn); err != nil {
			return nil, err
		}
		t.Rows = append(t.Rows, out)
		isOf := func(k Constant) bool { return k.Data == r.Data }
		if len(r.seeds) > 0 && !slices.ContainsFunc(t.Constants, isOf) {
			t.Constants = append(t.Constants, Constant{r.Data, r.constant})
		}
	}
	t.adjust()
	return t, nil
}

// row is everything but the comparison.
func (c computer) row(r *row, drawn []statistics.Distribution) (Row, error) {
	out := Row{
		Name: r.Name, Data: r.Data, Examples: len(r.ids), Seeds: append([]Seed{}, r.seeds...), DZ: record.Number(math.NaN()),
		PaperNote: r.PaperNote, Search: r.Search,
	}
	none := record.Number(math.NaN())
	for k, name := range c.Metrics {
		s := Score{
			Metric: name, Valid: MeanStd{none, none}, Test: MeanStd{none, none}, Interval: [2]record.Number{none, none}, Paper: none, VsPaper: none,
		}
		if v, ok := r.Paper[name]; ok {
			s.Paper = record.Number(v)
		}
		if drawn != nil {
			valid, test, err := r.summaries()
			if err != nil {
				return out, err
			}
			s.Valid, s.Test = meanStd(valid, name), meanStd(test, name)
			s.Interval = interval(drawn[k])
			s.VsPaper = s.Test.Mean - s.Paper
		}
		out.Scores = append(out.Scores, s)
	}
	return out, nil
}

func (r *row) summaries() (valid, test metric.Summary, err error) {
	var onValid, onTest []metric.Scores
	for _, s := range r.seeds {
		onValid, onTest = append(onValid, s.Valid), append(onTest, s.Test)
	}
	if valid, err = metric.Summarize(onValid); err != nil {
		return valid, test, err
	}
	test, err = metric.Summarize(onTest)
	return valid, test, err
}

func meanStd(s metric.Summary, name string) MeanStd {
	mean, _ := s.Mean.Get(name) // the name was checked
	std, _ := s.Std.Get(name)
	return MeanStd{record.Number(mean), record.Number(std)}
}

func interval(d statistics.Distribution) [2]record.Number {
	low, high := d.Interval(level)
	return [2]record.Number{record.Number(low), record.Number(high)}
}

// reference finds the row that row i is compared with: of the same data set or, where there is none, of the same test examples.
func (c computer) reference(i int) (int, error) {
	r := c.rows[i]
	if c.Reference == "" || r.Name == c.Reference || len(r.seeds) == 0 {
		return -1, nil
	}
	is := func(k *row) bool { return k.Name == c.Reference && len(k.seeds) > 0 }
	differs := func(k *row) error {
		return sameExamples(k.seeds[0].Run, k.ids, k.sample.Truth, r.seeds[0].Run, r.ids, r.sample.Truth)
	}
	if at := slices.IndexFunc(c.rows, func(k *row) bool { return is(k) && k.Data == r.Data }); at >= 0 {
		return at, differs(c.rows[at])
	}
	return slices.IndexFunc(c.rows, func(k *row) bool { return is(k) && differs(k) == nil }), nil
}

// compare fills in differences from the reference.
func (c computer) compare(out *Row, i int, drawn [][]statistics.Distribution) error {
	at, err := c.reference(i)
	if at < 0 || err != nil {
		return err
	}
	a, b := c.rows[i].sample, c.rows[at].sample
	p, err := statistics.Permutation(a, b, c.Metrics, c.resampling)
	if err != nil {
		return err
	}
	dz, err := statistics.EffectSize(a, b)
	if err != nil {
		return err
	}
	out.DZ = record.Number(dz)
	for k := range out.Scores {
		d := drawn[i][k].Minus(drawn[at][k])
		out.Scores[k].Against = &Difference{
			Value: record.Number(d.Value), Interval: interval(d), P: record.Number(p[k]), PBootstrap: record.Number(d.P()),
		}
	}
	return nil
}

// adjust corrects for all comparisons of the table.
func (t *Table) adjust() {
	var all []*Difference
	var permutation, bootstrap []float64
	for _, r := range t.Rows {
		for _, s := range r.Scores {
			if d := s.Against; d != nil {
				all = append(all, d)
				permutation, bootstrap = append(permutation, float64(d.P)), append(bootstrap, float64(d.PBootstrap))
			}
		}
	}
	permutation, bootstrap = statistics.Holm(permutation), statistics.Holm(bootstrap)
	for i, d := range all {
		d.PHolm, d.PBootstrapHolm = record.Number(permutation[i]), record.Number(bootstrap[i])
	}
}
