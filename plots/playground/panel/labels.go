package panel

import (
	"fmt"
	"strings"

	"github.com/mmiln/workbench/plots/playground/exhibit"
)

// labels shows the pseudo-labels of the chosen epoch, and their course over epochs.
func labels(v *exhibit.View, c exhibit.Controls) Markup {
	var rows []Markup
	for _, p := range v.Pseudo {
		rows = append(rows, row(Name(string(p.Task)), signed(p.Alpha), signed(p.Fused), el("strong", signed(p.Label)),
			signed(float64(p.Truth)), notes(p)))
	}
	caption := el("span", fmt.Sprintf("Pseudo-labels after %d epochs, from ", c.Epochs), sub("y", "m"), " = ", signed(v.Truth.Label))
	columns := []any{"task", sub("α", "s"), sub("α", "m"), sub("y", "s"), "truth", "notes"}
	return table(caption, columns, rows) + course(v, c)
}

func notes(p exhibit.Pseudo) string {
	var all []string
	if p.Guarded {
		all = append(all, "guarded")
	}
	if p.Clipped {
		all = append(all, "clipped")
	}
	return strings.Join(all, ", ")
}

// The chart of courses, in units of its view box.
const (
	chartWidth  = 300.0
	chartHeight = 130.0
	nameWidth   = 60.0 // at the right, for the curves' names
	scaleWidth  = 24.0 // at the left, for the axis
)

func course(v *exhibit.View, c exhibit.Controls) Markup {
	now, zero := atEpoch(c.Epochs), atLabel(0)
	parts := []any{line("axis", atEpoch(1), zero, atEpoch(exhibit.MaxEpochs), zero), line("now", now, 4, now, chartHeight-4)}
	for _, label := range []float64{3, 0, -3} {
		text := strings.Replace(fmt.Sprintf("%+.0f", label), "-", "−", 1)
		parts = append(parts, el("text", attr("x", 0), attr("y", atLabel(label)), attr("dy", 4), strings.Replace(text, "+0", "0", 1)))
	}
	ends := spread(v.Pseudo)
	for i, p := range v.Pseudo {
		var points []string
		for k, label := range p.Course {
			points = append(points, fmt.Sprintf("%g,%g", atEpoch(k+1), atLabel(label)))
		}
		parts = append(parts,
			el("polyline", class(fmt.Sprintf("curve curve%d", i)), attr("points", strings.Join(points, " "))),
			mark("pseudo", now, atLabel(p.Label)), el("text", attr("x", chartWidth-4), attr("y", ends[i]), attr("dy", 4), Name(string(p.Task))))
	}
	text := fmt.Sprintf("Course over %d epochs of momentum, were the features of the utterance always these; the line stands at epoch %d",
		exhibit.MaxEpochs, c.Epochs)
	return el("figure", el("figcaption", text), drawing(chartWidth+nameWidth, chartHeight, parts...))
}

func atEpoch(epoch int) float64 {
	return round(scaleWidth + (chartWidth-scaleWidth-8)*float64(epoch-1)/(exhibit.MaxEpochs-1))
}

func atLabel(label float64) float64 { return round(chartHeight - along(label, chartHeight)) }

// spread is where the names of curves stand, apart from each other.
func spread(all []exhibit.Pseudo) []float64 {
	const least = 15
	var ends []float64
	for _, p := range all {
		ends = append(ends, atLabel(p.Course[len(p.Course)-1]))
	}
	if len(ends) != 2 {
		return ends
	}
	upper, lower := &ends[0], &ends[1]
	if *upper > *lower {
		upper, lower = lower, upper
	}
	if missing := least - (*lower - *upper); missing > 0 {
		*upper, *lower = *upper-missing/2, *lower+missing/2
	}
	return ends
}
