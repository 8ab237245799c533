package casestudy

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// Print shows the study for people: each utterance with every model's predictions, then what the models look at.
func (r *Result) Print(w io.Writer) error {
	var out strings.Builder
	for i, run := range r.Runs {
		fmt.Fprintf(&out, "%s: %s, seed %d, epoch %d, on %s (%s)\n", letter(i), table.Inert(run.Name), run.Seed, run.BestEpoch, table.Inert(run.Data), table.Inert(run.Dir))
		for _, m := range run.Absent {
			fmt.Fprintf(&out, "   its data have no %s: what is predicted from that is the same for all\n", m)
		}
	}
	for _, c := range r.Cases {
		if err := c.print(&out); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// letter names a run: A, B, …, Z, then 27, 28, …
func letter(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return fmt.Sprint(i + 1)
}

func (c Case) print(out *strings.Builder) error {
	fmt.Fprintf(out, "\n“%s”\n", table.Inert(cmp.Or(c.Words, c.Query)))
	if !c.Found {
		fmt.Fprintln(out, "in none of these data sets")
		c.printPaper(out)
		return nil
	}
	if c.ID != "" {
		fmt.Fprintf(out, "%s, label %+.1f\n", table.Inert(c.ID), float64(c.Label))
	}
	if err := c.printPredictions(out); err != nil {
		return err
	}
	c.printPaper(out)
	for i, v := range c.Views {
		if v.Note != "" {
			fmt.Fprintf(out, "%s: %s\n", letter(i), v.Note)
		}
	}
	for i, v := range c.Views {
		if err := v.printInside(out, letter(i)); err != nil {
			return err
		}
	}
	return nil
}

func (c Case) printPaper(out *strings.Builder) {
	if p := c.Paper; p != nil {
		fmt.Fprintf(out, "paper: label %+.1f, MMILN %+.1f, Self-MM %+.1f (%s)\n", p.Truth, p.MMILN, p.SelfMM, p.Behaviour)
	}
}

var tasks = []mmiln.Task{mmiln.Multimodal, mmiln.Text, mmiln.Audio, mmiln.Vision}

// printPredictions has a line a model, with pseudo-labels in brackets behind the predictions they were the aim of.
func (c Case) printPredictions(out *strings.Builder) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "\tsplit")
	for _, task := range tasks {
		fmt.Fprintf(w, "\t%s", task)
	}
	fmt.Fprintln(w)
	for i, v := range c.Views {
		if !v.Found {
			fmt.Fprintf(w, "%s\tnot in its data\n", letter(i))
			continue
		}
		fmt.Fprintf(w, "%s\t%s", letter(i), cmp.Or(v.Split, "own"))
		for _, task := range tasks {
			fmt.Fprint(w, "\t", v.prediction(task))
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

func (v View) prediction(task mmiln.Task) string {
	value, ok := v.Predictions[task]
	if !ok {
		return "-"
	}
	text := fmt.Sprintf("%+.2f", value)
	if t, ok := v.PseudoLabels[task]; ok && v.Split == data.Train {
		text += fmt.Sprintf(" [%+.2f]", t.Best)
	}
	return text
}

// printInside shows gates, one line a transformer, and where attention goes.
func (v View) printInside(out *strings.Builder, name string) error {
	if len(v.Gates) == 0 && len(v.Attention) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tg_r\tg_c\tg_s\tmost attended steps\n", name)
	type place struct {
		layer    int
		part     string
		modality mmiln.Task
	}
	var order []place
	cells := map[place]*[4]string{}
	at := func(p place) *[4]string {
		if cells[p] == nil {
			order, cells[p] = append(order, p), &[4]string{"-", "-", "-", "-"}
		}
		return cells[p]
	}
	for _, g := range v.Gates {
		at(place{g.Layer, g.Part, g.Modality})[slices.Index([]string{"g_r", "g_c", "g_s"}, g.Gate)] = fmt.Sprintf("%.3f", g.Mean)
	}
	for _, a := range v.Attention {
		at(place{a.Layer, a.Part, a.Modality})[3] = mostAttended(a.Steps)
	}
	slices.SortStableFunc(order, func(a, b place) int { return cmp.Compare(a.layer, b.layer) })
	for _, p := range order {
		c := cells[p]
		fmt.Fprintf(w, "layer %d %s %s\t%s\n", p.layer, p.part, p.modality, strings.Join(c[:], "\t"))
	}
	return w.Flush()
}

// mostAttended lists three steps, counted from 1, with their shares.
func mostAttended(steps []float64) string {
	order := make([]int, len(steps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(steps[b], steps[a]) })
	var parts []string
	for _, i := range order[:min(3, len(order))] {
		parts = append(parts, fmt.Sprintf("%d (%.2f)", i+1, steps[i]))
	}
	return fmt.Sprintf("%s of %d", strings.Join(parts, ", "), len(steps))
}
