package plots

import (
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/opts"
)

// Attended is how one example's steps attended to another sequence: weights [queries, keys], each row summing to 1.
type Attended struct {
	ID            string
	Layer         string   // which attention, as its tap is called
	Queries, Keys []string // what each step is: words, or numbers
	Weights       [][]float64
}

// Attention shows what each step of an example looked at.
func Attention(a Attended) (Chart, error) {
	if len(a.Weights) != len(a.Queries) || len(a.Weights) == 0 {
		return Chart{}, fmt.Errorf("plots: attention of %q: %d rows of weights for %d queries; pass one a query", a.ID, len(a.Weights), len(a.Queries))
	}
	var cells [][3]any
	highest, strongest := 0.0, ""
	table := Table{Columns: []string{"query", "key", "weight"}}
	for i, row := range a.Weights {
		if len(row) != len(a.Keys) {
			return Chart{}, fmt.Errorf("plots: attention of %q: row %d has %d weights for %d keys", a.ID, i, len(row), len(a.Keys))
		}
		for j, w := range row {
			cells = append(cells, [3]any{j, i, short(w)})
			table.Add(a.Queries[i], a.Keys[j], cell(w))
			if w > highest {
				highest, strongest = w, fmt.Sprintf("%s to %s", a.Queries[i], a.Keys[j])
			}
		}
	}
	x := namesX("looked at", numbered(a.Keys))
	x.AxisLabel, x.NameGap = &opts.AxisLabel{Rotate: 45}, 64
	y := namesY("", numbered(a.Queries))
	c := newCanvas(x, y)
	c.GridList[0].Bottom = "90"
	c.heat("weight", cells, 0, math.Ceil(20*highest)/20)
	return Chart{
		Name: "attention", Title: "Attention of one example: " + a.ID, Height: 200 + 20*min(len(a.Queries), 30),
		Says: fmt.Sprintf("Row: the step that looks; column: what it looks at; each row sums to 1, so %.3f would be looking at nothing "+
			"in particular. %s.", 1/float64(len(a.Keys)), a.Layer),
		Alt:    fmt.Sprintf("Heat map of attention, %d by %d steps. The strongest weight, %.2f, is from %s.", len(a.Queries), len(a.Keys), highest, strongest),
		Option: c, Table: table,
	}, nil
}

// numbered tells apart steps of the same name, which a category axis would take for one.
func numbered(names []string) []string {
	seen := map[string]int{}
	out := make([]string, len(names))
	for i, name := range names {
		seen[name]++
		out[i] = name
		if n := seen[name]; n > 1 {
			out[i] = fmt.Sprintf("%s (%d)", name, n)
		}
	}
	return out
}
