package plots

import (
	"fmt"
	"math"

	"github.com/go-echarts/go-echarts/v2/opts"

	"github.com/mmiln/workbench/mmiln/experiment/paper"
)

// Case is one utterance of a case study with what systems predict. NaN is not known.
type Case struct {
	Text  string
	Truth float64
	Said  map[string]float64 // predictions by system
}

// PaperCases are the four utterances of Table 4.
func PaperCases() []Case {
	var out []Case
	for _, r := range paper.Table4().Rows {
		out = append(out, Case{r.Text, r.Truth, map[string]float64{"MMILN, paper": r.MMILN, "Self-MM, paper": r.SelfMM}})
	}
	return out
}

// Cases shows utterances one below the other, the human label and each system's prediction in its row: Table 4.
func Cases(cases []Case) (Chart, error) {
	if len(cases) == 0 {
		return Chart{}, fmt.Errorf("plots: a case study needs an utterance")
	}
	var names []string
	var truth []point
	said := map[string][]point{}
	table := Table{Columns: []string{"text", "system", "value"}}
	for i, c := range cases {
		names = append(names, fmt.Sprintf("%d  %s", i+1, clipped(c.Text, 42)))
		truth = append(truth, point{c.Truth, float64(i)})
		table.Add(c.Text, "label", cell(c.Truth))
		for _, system := range sortedKeys(c.Said) {
			said[system] = append(said[system], point{c.Said[system], float64(i)})
			table.Add(c.Text, system, cell(c.Said[system]))
		}
	}
	x := numbersX("sentiment, −3 negative to 3 positive")
	x.Min, x.Max = -3, 3
	y := namesY("", names)
	y.AxisLabel = &opts.AxisLabel{Interval: "0"}
	out := newCanvas(x, y)
	out.Trigger = "item"
	out.dots("label", known(truth), 14)
	worst, where := 0.0, ""
	for _, system := range sortedKeys(said) {
		out.dots(system, known(said[system]), 11)
		for _, p := range known(said[system]) {
			if miss := math.Abs(p.x - truth[int(p.y)].x); miss > worst {
				worst, where = miss, fmt.Sprintf("%s on utterance %d", system, int(p.y)+1)
			}
		}
	}
	return Chart{
		Name: "cases", Title: "Case study", Height: 130 + 46*len(cases),
		Says: "A prediction on the other side of zero than the label gets the sentiment wrong, however near it is. The largest miss is " +
			fmt.Sprintf("%.1f, of %s.", worst, where),
		Alt:    fmt.Sprintf("Dot plot of labels and predictions for %d utterances by %d systems.", len(cases), len(said)),
		Option: out, Table: table,
	}, nil
}

// clipped shortens a text to n letters.
func clipped(text string, n int) string {
	letters := []rune(text)
	if len(letters) <= n {
		return text
	}
	return string(letters[:n-1]) + "…"
}
