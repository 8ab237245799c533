package walk

import (
	"slices"
	"unicode/utf8"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/mmiln/workbench/plots"
)

// Series is one line, or one group of bars, of a chart that a chapter draws itself.
type Series struct {
	Name   string
	Values []float64
}

// Axes are what a chart is drawn over.
type Axes struct {
	X, Y  string   // what they show
	Names []string // along x, one for each value of a series
}

// dashes tell lines apart without colour.
var dashes = []string{"solid", "dashed", "dotted"}

// Lines draws series over the same steps. says is the sentence on what to see.
func Lines(title, says string, a Axes, series ...Series) plots.Chart {
	line := charts.NewLine()
	line.SetGlobalOptions(a.options()...)
	line.SetXAxis(a.Names)
	for k, s := range series {
		items := make([]opts.LineData, len(s.Values))
		for i, v := range s.Values {
			items[i].Value = v
		}
		line.AddSeries(s.Name, items, charts.WithLineStyleOpts(opts.LineStyle{Width: 2, Type: dashes[k%len(dashes)]}))
	}
	return chart(title, says, "Line chart", line, a, series)
}

// Bars draws series as bars side by side.
func Bars(title, says string, a Axes, series ...Series) plots.Chart {
	bar := charts.NewBar()
	bar.SetGlobalOptions(a.options()...)
	bar.SetXAxis(a.Names)
	for _, s := range series {
		items := make([]opts.BarData, len(s.Values))
		for i, v := range s.Values {
			items[i].Value = v
		}
		bar.AddSeries(s.Name, items)
	}
	return chart(title, says, "Bar chart", bar, a, series)
}

// long is the length from which names along x are set aslant, so that all of them are seen.
const long = 12

func (a Axes) options() []charts.GlobalOpts {
	x, bottom := opts.XAxis{Name: a.X, NameLocation: "middle", NameGap: 30}, "56"
	if slices.ContainsFunc(a.Names, func(name string) bool { return utf8.RuneCountInString(name) > long }) {
		x.NameGap, bottom = 88, "112"
		x.AxisLabel = &opts.AxisLabel{Interval: "0", Rotate: 28}
	}
	return []charts.GlobalOpts{
		charts.WithXAxisOpts(x),
		charts.WithYAxisOpts(opts.YAxis{Name: a.Y, NameLocation: "middle", NameGap: 46, Scale: opts.Bool(true)}),
		charts.WithGridOpts(opts.Grid{Left: "64", Right: "28", Top: "48", Bottom: bottom}),
		charts.WithLegendOpts(opts.Legend{Show: opts.Bool(true), Left: "0", Top: "0"}),
		charts.WithTooltipOpts(opts.Tooltip{Show: opts.Bool(true), Trigger: "axis"}),
	}
}

// chart adds the words and the data.
func chart(title, says, kind string, option plots.Option, a Axes, series []Series) plots.Chart {
	table := plots.Table{Columns: []string{a.X}}
	for _, s := range series {
		table.Columns = append(table.Columns, s.Name)
	}
	for i, name := range a.Names {
		row := []any{name}
		for _, s := range series {
			row = append(row, s.Values[i])
		}
		table.Add(row...)
	}
	return plots.Chart{
		Name: title, Title: title, Says: says, Alt: kind + " of " + a.Y + " over " + a.X + ". " + says, Option: option, Table: table,
	}
}
