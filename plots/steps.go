package plots

import "fmt"

// Along is one example's values along its steps, as taps let them out.
type Along struct {
	ID     string
	Steps  []string // what each step is: words, or numbers
	Gates  []string // names of taps, in the order they are drawn
	Values map[string][]float64
}

// GateSteps shows how open the gates of one example are, step by step: g_s of Eq. (17), the mean over channels.
func GateSteps(a Along) (Chart, error) {
	c := newCanvas(namesX("step", numbered(a.Steps)), numbersY("gate, 0 shut to 1 open"))
	table := Table{Columns: append([]string{"step"}, a.Gates...)}
	for _, step := range a.Steps {
		table.Add(step)
	}
	for _, gate := range a.Gates {
		values := a.Values[gate]
		if len(values) != len(a.Steps) || len(values) == 0 {
			return Chart{}, fmt.Errorf("plots: gates of %q: %d values of %s for %d steps; pass one a step", a.ID, len(values), gate, len(a.Steps))
		}
		points := make([]point, len(values))
		for i, v := range values {
			points[i] = point{float64(i), v}
			table.Rows[i] = append(table.Rows[i], cell(v))
		}
		c.line(gateTitle(gate), points)
	}
	return Chart{
		Name: "gate-steps", Title: "Gates along one example: " + a.ID,
		Says: "Where the line is high, text may see this step of the modality; where it is low, the step is kept from it. A flat " +
			"line selects nothing.",
		Alt:    fmt.Sprintf("Line chart of %d gates along the %d steps of %s.", len(a.Gates), len(a.Steps), a.ID),
		Option: c, Table: table,
	}, nil
}
