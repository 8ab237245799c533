package plots

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// canvas is a chart on two axes that takes series of any kind. Series differ in colour, symbol and dash, so that neither
// colour-blind readers nor paper lose one.
type canvas struct{ *charts.Line }

// Validate makes room for as many lines of legend as the narrowest page needs. What go-echarts would fill in is given already.
func (c *canvas) Validate() {
	if c.Legend.Show != nil && !*c.Legend.Show {
		return
	}
	rows, used := 1, 0
	listed, some := c.Legend.Data.([]string)
	for _, s := range c.MultiSeries {
		if some && !slices.Contains(listed, s.Name) {
			continue
		}
		width := 50 + 8*len([]rune(s.Name)) // of icon, gap and letters, in pixels
		if used += width; used > legendWidth {
			rows, used = rows+1, width
		}
	}
	c.GridList[0].Top = fmt.Sprint(26 + 20*rows)
}

// maxName is how many letters of a series' name are shown.
const maxName = 40

// legendWidth is what a legend may take of a page, in pixels.
const legendWidth = 680

// point is a place on two numeric axes. NaN is a gap.
type point struct{ x, y float64 }

func newCanvas(x opts.XAxis, y opts.YAxis) *canvas {
	c := &canvas{charts.NewLine()}
	c.XAxisList[0], c.YAxisList[0] = x, y
	c.Legend = opts.Legend{Type: "plain", Left: "0", Top: "0"}
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
	s.Name = clipped(s.Name, maxName)
	s.ConfigureSeriesOpts(more...)
	c.MultiSeries = append(c.MultiSeries, s)
}

// single does without a legend, for a chart of one series.
func (c *canvas) single() {
	c.Legend.Show = opts.Bool(false)
	c.Trigger = "item"
	c.GridList[0].Top = "20"
}

// translucent lets points that lie on each other be seen.
func translucent(s *charts.SingleSeries) { s.ItemStyle = &opts.ItemStyle{Opacity: opts.Float(0.6)} }

// plainLine has no symbols.
func plainLine(s *charts.SingleSeries) { s.ShowSymbol = opts.Bool(false) }

// level adds a horizontal line at what the series before it are to be held against, such as the paper's value. It reaches as far
// as the first series. What is not known, such as the correlation of a constant, has no line.
func (c *canvas) level(name string, y float64, more ...charts.SeriesOpts) {
	along, ok := c.MultiSeries[0].Data.([][2]any)
	if math.IsNaN(y) || !ok || len(along) == 0 {
		return
	}
	c.add(charts.SingleSeries{
		Name: name, Type: "line", Data: [][2]any{{along[0][0], short(y)}, {along[len(along)-1][0], short(y)}},
		Symbol: "none", LineStyle: &opts.LineStyle{Width: 1.5, Type: dashes[1+len(c.MultiSeries)%2]},
	}, more)
}

// coloured gives series that belong together one colour, readable on light and dark.
func coloured(i int) charts.SeriesOpts {
	colours := []string{"#3b7dd8", "#d9730d", "#2f9e6b", "#b0489b", "#d04545", "#8a7a00", "#7a7a7a"}
	return func(s *charts.SingleSeries) { s.Color = colours[i%len(colours)] }
}

// moment is a vertical line at a value of the horizontal axis, such as the best epoch.
func moment(name string, x float64) charts.SeriesOpts {
	return charts.WithSeriesOpts(func(s *charts.SingleSeries) {
		mark(s).Data = append(mark(s).Data, map[string]any{
			"name": name, "xAxis": short(x), "label": map[string]any{"show": true, "position": "end", "formatter": "{b}"},
		})
	})
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

// reach adds points that are not shown, for the axes to reach to.
func (c *canvas) reach(points []point) {
	if c.Legend.Data == nil {
		var shown []string
		for _, s := range c.MultiSeries {
			shown = append(shown, s.Name)
		}
		c.Legend.Data = shown
	}
	c.add(charts.SingleSeries{Name: "reach", Type: "scatter", Data: pairs(known(points)), SymbolSize: 0}, nil)
}
