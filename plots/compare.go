package plots

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// scale is a metric as papers print it: accuracies and F1 in per cent.
type scale struct {
	name, title string
	unit        float64
}

func scaleOf(name string) (scale, error) {
	title, err := metric.Title(name)
	if err != nil {
		return scale{}, err
	}
	better, _ := metric.Better(name) // it has a title
	s := scale{name, fmt.Sprintf("%s (%s is better)", title, better), 1}
	if strings.Contains(name, "acc") || strings.HasSuffix(name, "_f1") {
		s.title, s.unit = fmt.Sprintf("%s, %% (%s is better)", title, better), 100
	}
	return s, nil
}

// compared are the values of rows in one metric.
type compared struct {
	scale
	names             []string
	paper, mean, dots []point // x the value, y the row
	std               []float64
	table             Table
}

func (s scale) compare() compared {
	return compared{scale: s, table: Table{Columns: []string{"row", "data", "paper", "mean", "std", "difference", "seeds"}}}
}

// add appends a row of a table; those without runs show the paper alone.
func (c *compared) add(r table.Row) {
	at := slices.IndexFunc(r.Scores, func(s table.Score) bool { return s.Metric == c.name })
	if at < 0 {
		return
	}
	s, y := r.Scores[at], float64(len(c.names))
	c.names = append(c.names, r.Name)
	var seeds []string
	for _, seed := range r.Seeds {
		v, _ := seed.Test.Get(c.name) // the table has the metric
		c.dots = append(c.dots, point{v * c.unit, y})
		seeds = append(seeds, metric.Show(c.name, v))
	}
	c.paper = append(c.paper, point{float64(s.Paper) * c.unit, y})
	c.mean = append(c.mean, point{float64(s.Test.Mean) * c.unit, y})
	c.std = append(c.std, float64(s.Test.Std)*c.unit)
	c.table.Add(r.Name, r.Data, cell(float64(s.Paper)*c.unit), cell(float64(s.Test.Mean)*c.unit), cell(float64(s.Test.Std)*c.unit),
		cell(float64(s.VsPaper)*c.unit), strings.Join(seeds, " "))
}

// canvas draws rows from top to bottom: the paper's value, our seeds, and their mean with a bar of one standard deviation to
// either side.
func (c *compared) canvas() *canvas {
	y := namesY("", numbered(c.names))
	y.AxisLabel = &opts.AxisLabel{Interval: "0"}
	out := newCanvas(numbersX(c.title), y)
	out.Trigger = "item"
	out.dots("paper", known(c.paper), 11, shape("diamond"))
	out.dots("ours, each seed", known(c.dots), 7, shape("triangle"))
	out.dots("ours, mean ± std", known(c.mean), 11, shape("rect"), c.bars(inRow))
	out.reach(c.ends())
	return out
}

// ends are where the bars of one standard deviation end.
func (c *compared) ends() (ends []point) {
	for i, std := range c.std {
		ends = append(ends, point{c.mean[i].x - std, c.mean[i].y}, point{c.mean[i].x + std, c.mean[i].y})
	}
	return ends
}

func known(points []point) []point {
	return slices.DeleteFunc(slices.Clone(points), func(p point) bool { return math.IsNaN(p.x) || math.IsNaN(p.y) })
}

func shape(symbol string) charts.SeriesOpts {
	return charts.WithSeriesOpts(func(s *charts.SingleSeries) { s.Symbol = symbol })
}

type barEnd struct {
	Coord [2]any `json:"coord"`
}

// bars are one standard deviation to either side of each mean; place says where on the chart a value of row i lies.
func (c *compared) bars(place func(i int, value float64) [2]any) charts.SeriesOpts {
	return func(s *charts.SingleSeries) {
		for i, std := range c.std {
			if m := c.mean[i].x; !math.IsNaN(std) && !math.IsNaN(m) {
				mark(s).Data = append(mark(s).Data, []barEnd{{place(i, m-std)}, {place(i, m+std)}})
			}
		}
		if s.MarkLines != nil {
			s.MarkLines.LineStyle = &opts.LineStyle{Type: "solid", Width: 2}
			s.MarkLines.Label = &opts.Label{Show: opts.Bool(false)}
		}
	}
}

// inRow is a place in row i of a chart with rows.
func inRow(i int, value float64) [2]any { return [2]any{short(value), i} }

// Table2 shows the paper's systems on one of its data sets, [paper.MOSI] or [paper.MOSEI], and our rows beside them, in one
// metric. Rows of t may be of any data; only where they are of the same are they comparable, and their names say so.
func Table2(t *table.Table, dataset, name string) (Chart, error) {
	s, err := scaleOf(name)
	if err != nil {
		return Chart{}, err
	}
	c := s.compare()
	for _, r := range paper.Table2().Rows {
		scores := r.MOSI
		if dataset == paper.MOSEI {
			scores = r.MOSEI
		}
		if v, ok := scores.Get(name); ok {
			label := r.Model
			if r.Reproduced {
				label += " *"
			}
			c.add(paperRow(label, dataset, name, v))
		}
	}
	ours := 0
	for _, r := range t.Rows {
		if len(r.Seeds) > 0 {
			ours++
			r.Name = fmt.Sprintf("ours: %s, %s", r.Name, r.Data)
			c.add(r)
		}
	}
	return Chart{
		Name: "table2-" + dataset + "-" + name, Title: fmt.Sprintf("Table 2, %s, %s", dataset, s.title), Height: 130 + 22*len(c.names),
		Says: "Diamonds are the paper's numbers (*: rerun by its authors), squares our means over seeds with one standard deviation, " +
			"triangles single seeds. Rows of other data than the paper's are shown for size, not for comparison.",
		Alt:    fmt.Sprintf("Dot plot of %s on %s: %d rows of the paper and %d of ours.", s.title, dataset, len(c.names)-ours, ours),
		Option: c.canvas(), Table: c.table,
	}, nil
}

func paperRow(name, dataset, metricName string, v float64) table.Row {
	none := record.Number(math.NaN())
	return table.Row{Name: name, Data: dataset, Scores: []table.Score{{
		Metric: metricName, Paper: record.Number(v), Test: table.MeanStd{Mean: none, Std: none}, VsPaper: none,
	}}}
}

// Ablations shows the rows of a table, such as the paper's Table 3, with the paper's scores where they have some.
func Ablations(t *table.Table, name string) (Chart, error) {
	s, err := scaleOf(name)
	if err != nil {
		return Chart{}, err
	}
	c := s.compare()
	for _, r := range t.Rows {
		c.add(r)
	}
	if len(c.names) == 0 {
		return Chart{}, fmt.Errorf("plots: table %q has no row with %s", t.Title, name)
	}
	return Chart{
		Name: "ablations-" + name, Title: "What each part is worth: " + s.title, Height: 130 + 26*len(c.names),
		Says: "Each row is the model without one part. A part is worth something where its row lies on the worse side by more than the " +
			"bars. Squares are means with one standard deviation over seeds, triangles single seeds, diamonds the paper's.",
		Alt:    fmt.Sprintf("Dot plot of %s for %d rows.", s.title, len(c.names)),
		Option: c.canvas(), Table: c.table,
	}, nil
}

// Layers shows a metric over the number of fusion layers, Figure 4. Each row of t is one number of layers.
func Layers(t *table.Table, name string) (Chart, error) {
	s, err := scaleOf(name)
	if err != nil {
		return Chart{}, err
	}
	c := s.compare()
	var counts []float64
	for _, r := range t.Rows {
		if len(r.Seeds) == 0 {
			continue
		}
		layers, err := layersOf(r.Seeds[0].Run)
		if err != nil {
			return Chart{}, err
		}
		c.add(r)
		counts = append(counts, float64(layers))
	}
	if len(counts) == 0 {
		return Chart{}, fmt.Errorf("plots: table %q has no runs; Figure 4 needs some with 1 to 6 layers", t.Title)
	}
	x := numbersX("fusion layers")
	x.MinInterval = 1
	out := newCanvas(x, numbersY(s.title))
	out.line("ours, mean ± std", flipped(c.mean, counts), c.bars(func(i int, value float64) [2]any { return [2]any{counts[i], short(value)} }))
	out.dots("ours, each seed", flipped(c.dots, counts), 7, shape("triangle"))
	out.reach(flipped(c.ends(), counts))
	return Chart{
		Name: "layers-" + name, Title: "Number of fusion layers: " + s.title,
		Says: "Figure 4's values are not in the paper's text; of it the text says: " + finding(name) + ". Bars are one standard " +
			"deviation over seeds.",
		Alt:    fmt.Sprintf("Line chart of %s over %d numbers of fusion layers.", s.title, len(counts)),
		Option: out, Table: c.table,
	}, nil
}

func layersOf(dir string) (int, error) {
	run, err := record.Open(dir)
	if err != nil {
		return 0, err
	}
	c, err := experiment.ConfigIn(run.Manifest())
	return c.MMILN.Layers, err
}

// flipped puts the rows' places on the horizontal axis, sorted, and their values on the other.
func flipped(points []point, at []float64) []point {
	out := make([]point, 0, len(points))
	for _, p := range points {
		out = append(out, point{at[int(p.y)], p.x})
	}
	slices.SortStableFunc(out, func(a, b point) int { return int(math.Copysign(1, a.x-b.x)) })
	return out
}

// finding is what the paper's text says of Figure 4.
func finding(name string) string {
	findings := paper.Figure4().Findings
	if text, ok := findings[name]; ok {
		title, _ := metric.Title(name) // the paper's names are metrics
		return title + " " + text
	}
	return "accuracy and F1 " + findings["acc2_f1"]
}
