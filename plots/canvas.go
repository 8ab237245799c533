package plots

import (
	"math"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// canvas is a chart on two axes that takes series of any kind. Series differ in colour, symbol and dash, so that neither
// colour-blind readers nor paper lose one.
type canvas struct{ *charts.Line }

// Validate has nothing to do: what go-echarts would fill in is given already.
func (*canvas) Validate() {}

// point is a place on two numeric axes. NaN is a gap.
type point struct{ x, y float64 }

func newCanvas(x opts.XAxis, y opts.YAxis) *canvas {
	c := &canvas{charts.NewLine()}
	c.XAxisList[0], c.YAxisList[0] = x, y
	c.Legend = opts.Legend{Type: "scroll", Left: "0", Top: "0"}
	c.Tooltip = opts.Tooltip{Trigger: "axis"}
	c.GridList = []opts.Grid{{Left: "64", Right: "28", Top: "48", Bottom: "56"}}
	return c
}

// Axes, with their titles in the middle.
func numbersX(title string) opts.XAxis {
	return opts.XAxis{Type: "value", Name: title, NameLocation: "middle", NameGap: 30, Scale: opts.Bool(true)}
}

func epochsX() opts.XAxis {
	x := numbersX("epoch")
	x.MinInterval, x.Min, x.Max = 1, "dataMin", "dataMax"
	return x
}

func namesX(title string, names []string) opts.XAxis {
	return opts.XAxis{Type: "category", Name: title, NameLocation: "middle", NameGap: 30, Data: names}
}

func numbersY(title string) opts.YAxis {
	return opts.YAxis{Type: "value", Name: title, NameLocation: "middle", NameGap: 46, Scale: opts.Bool(true)}
}

func namesY(title string, names []string) opts.YAxis {
	return opts.YAxis{Type: "category", Name: title, NameLocation: "middle", NameGap: 46, Data: names, Inverse: opts.Bool(true)}
}

var (
	symbols = []string{"circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond"}
	dashes  = []string{"solid", "dashed", "dotted"}
)

// line adds a line through points.
func (c *canvas) line(name string, points []point, more ...charts.SeriesOpts) {
	i := len(c.MultiSeries)
	s := charts.SingleSeries{
		Name: name, Type: "line", Data: pairs(thin(points, maxPoints)), Symbol: symbols[i%len(symbols)], SymbolSize: 6,
		ShowSymbol: opts.Bool(len(points) <= 60), LineStyle: &opts.LineStyle{Width: 2, Type: dashes[i%len(dashes)]},
	}
	c.add(s, more)
}

// dots adds points without a line.
func (c *canvas) dots(name string, points []point, size int, more ...charts.SeriesOpts) {
	i := len(c.MultiSeries)
	c.add(charts.SingleSeries{
		Name: name, Type: "scatter", Data: pairs(stride(points, maxPoints)), Symbol: symbols[i%len(symbols)], SymbolSize: size,
	}, more)
}

// series adds data in ECharts' own form, such as bars, boxes or the cells of a heat map.
func (c *canvas) series(kind, name string, data any, more ...charts.SeriesOpts) {
	c.add(charts.SingleSeries{Name: name, Type: kind, Data: data}, more)
}

func (c *canvas) add(s charts.SingleSeries, more []charts.SeriesOpts) {
	s.ConfigureSeriesOpts(more...)
	c.MultiSeries = append(c.MultiSeries, s)
}

// single does without a legend, for a chart of one series.
func (c *canvas) single() {
	c.Legend.Show = opts.Bool(false)
	c.Tooltip.Trigger = "item"
	c.GridList[0].Top = "20"
}

// translucent lets points that lie on each other be seen.
func translucent(s *charts.SingleSeries) { s.ItemStyle = &opts.ItemStyle{Opacity: opts.Float(0.6)} }

// plainLine has no symbols.
func plainLine(s *charts.SingleSeries) { s.ShowSymbol = opts.Bool(false) }

// reference is a horizontal line at what a series is to be held against, such as the paper's value.
func reference(name string, y float64) charts.SeriesOpts {
	return charts.WithSeriesOpts(func(s *charts.SingleSeries) {
		mark(s).Data = append(mark(s).Data, referenceItem{name, short(y), nil, referenceLabel("insideEndTop")})
	})
}

// moment is a vertical line at a value of the horizontal axis, such as the best epoch.
func moment(name string, x float64) charts.SeriesOpts {
	return charts.WithSeriesOpts(func(s *charts.SingleSeries) {
		mark(s).Data = append(mark(s).Data, referenceItem{name, nil, short(x), referenceLabel("end")})
	})
}

type referenceItem struct {
	Name  string `json:"name"`
	YAxis any    `json:"yAxis,omitempty"`
	XAxis any    `json:"xAxis,omitempty"`
	Label any    `json:"label"`
}

func referenceLabel(position string) any {
	return map[string]any{"show": true, "position": position, "formatter": "{b}"}
}

func mark(s *charts.SingleSeries) *opts.MarkLines {
	if s.MarkLines == nil {
		s.MarkLines = &opts.MarkLines{MarkLineStyle: opts.MarkLineStyle{
			Symbol: []string{"none", "none"}, LineStyle: &opts.LineStyle{Type: "dashed", Width: 1},
		}}
	}
	return s.MarkLines
}

// pairs are points as ECharts reads them.
func pairs(points []point) [][2]any {
	out := make([][2]any, len(points))
	for i, p := range points {
		out[i] = [2]any{short(p.x), short(p.y)}
	}
	return out
}

// short rounds to five significant digits, which no eye can tell apart; what is no number becomes a gap.
func short(v float64) any {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 5, 64), 64) // its own output
	return rounded
}

// shorts rounds several.
func shorts(values ...float64) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = short(v)
	}
	return out
}
