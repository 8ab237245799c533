package plots

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/go-echarts/go-echarts/v2/opts"
	"github.com/gomlx/gomlx/ui/plot"
)

// Point is one value of one metric at one step of training, GoMLX's.
type Point = plot.Point

var _ plot.Plotter = (*Live)(nil)

// Live are charts in a notebook that grow in place while something trains, and stand there once it is done. Its methods may be
// called from several goroutines. It is GoMLX's [plot.Plotter]. Outside of a notebook they show nothing.
type Live struct {
	mu     sync.Mutex
	title  string
	axis   string
	screen screen
	bar    string // id of the progress bar
	view   string // id of the charts
	points []Point
}

// NewLive begins live charts below the notebook's cell. axis says what steps are, such as "step" or "epoch".
func NewLive(title, axis string) *Live { return newLive(title, axis, gonb{}) }

func newLive(title, axis string, s screen) *Live {
	return &Live{title: title, axis: axis, screen: s, bar: s.id(), view: s.id()}
}

// AddPoint takes a value; it is drawn by the next [Live.DynamicSampleDone].
func (l *Live) AddPoint(p Point) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.points = append(l.points, p)
}

// DynamicSampleDone redraws the charts. incomplete says that a value was NaN or infinite, which is told below them.
func (l *Live) DynamicSampleDone(incomplete bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var html strings.Builder
	for _, c := range l.charts() {
		c.Option.(*canvas).Animation = opts.Bool(false) // growing anew with each update would flicker
		figure, err := c.figure(nil)
		if err != nil {
			figure = template.HTML("<p>" + template.HTMLEscapeString(err.Error()) + "</p>")
		}
		html.WriteString(string(figure))
	}
	if incomplete {
		html.WriteString("<p>A value was NaN or infinite and is left out.</p>")
	}
	l.screen.update(l.view, html.String()+wake)
}

// Progress draws a bar: done of so many, with a word on what is being done.
func (l *Live) Progress(done, of int, says string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.screen.update(l.bar, fmt.Sprintf(`<progress max="%d" value="%d"></progress> %s`, of, done, template.HTMLEscapeString(says)))
}

// Done clears what was live and leaves the finished charts, which a saved notebook keeps.
func (l *Live) Done() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.screen.update(l.bar, "")
	l.screen.update(l.view, "")
	for _, c := range l.charts() {
		html, err := c.HTML()
		if err != nil {
			return err
		}
		l.screen.display(string(html) + wake)
	}
	l.screen.sync()
	return nil
}

// charts are one for each type of metric, in the order in which they came.
func (l *Live) charts() (charts []Chart) {
	var types []string
	byType := map[string][]Point{}
	for _, p := range l.points {
		if !slices.Contains(types, p.MetricType) {
			types = append(types, p.MetricType)
		}
		byType[p.MetricType] = append(byType[p.MetricType], p)
	}
	for _, kind := range types {
		charts = append(charts, l.chart(kind, byType[kind]))
	}
	return charts
}

func (l *Live) chart(kind string, points []Point) Chart {
	x := numbersX(l.axis)
	x.Min, x.Max, x.MinInterval = "dataMin", "dataMax", 1
	c := newCanvas(x, numbersY(kind))
	table := Table{Columns: []string{l.axis, "series", kind}}
	var names []string
	series := map[string][]point{}
	for _, p := range points {
		if !slices.Contains(names, p.MetricName) {
			names = append(names, p.MetricName)
		}
		series[p.MetricName] = append(series[p.MetricName], point{p.Step, p.Value})
		table.Add(p.Step, p.MetricName, cell(p.Value))
	}
	var last []string
	for _, name := range names {
		at := series[name]
		slices.SortStableFunc(at, func(a, b point) int { return cmp.Compare(a.x, b.x) })
		c.line(name, at)
		if v := at[len(at)-1].y; !math.IsNaN(v) {
			last = append(last, fmt.Sprintf("%s %.4g", name, v))
		}
	}
	return Chart{
		Name: "live-" + kind, Title: l.title + ": " + kind, Height: 300, Says: "Last: " + strings.Join(last, ", ") + ".",
		Alt:    fmt.Sprintf("Line chart of %s: %s.", kind, strings.Join(last, ", ")),
		Option: c, Table: table,
	}
}
