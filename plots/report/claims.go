package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// Claim is one statement that the runs bear out or not.
type Claim struct {
	Says     string
	Holds    Answer
	Evidence string
}

// Answer to whether a claim holds.
type Answer string

// The three answers.
const (
	Yes     Answer = "holds"
	No      Answer = "does not hold"
	Unknown Answer = "cannot be said"
)

// claims judges what can be judged from the runs, and sums it up.
func (v *view) claims() error {
	if v.Table != nil {
		for _, row := range v.Table.Rows {
			v.Claims = append(v.Claims, v.beatsConstant(row))
			if row.PaperNote != "" {
				v.Claims = append(v.Claims, beatsPaper(row, "mae"), beatsPaper(row, "non0_acc2"), beatsPaper(row, "corr"))
			}
		}
		v.Claims = append(v.Claims, unreported(v.Table.Rows)...)
	}
	for _, run := range v.firstRuns() {
		found, err := recovers(run)
		if err != nil {
			return err
		}
		v.Claims = append(v.Claims, found...)
	}
	v.Verdict = verdict(v.Claims, len(v.Failures))
	return nil
}

// beatsConstant asks whether the whole interval of test MAE lies below the constant predictor's.
func (v *view) beatsConstant(row table.Row) Claim {
	c := Claim{Says: fmt.Sprintf("%s learns something on %s: its test MAE is below that of predicting the same value always", row.Name, row.Data), Holds: Unknown}
	s, ok := scoreOf(row, "mae")
	if !ok {
		return c
	}
	for _, constant := range v.Table.Constants {
		if constant.Data != row.Data {
			continue
		}
		c.Holds = answer(float64(s.Interval[1]) < constant.Scores.MAE)
		c.Evidence = fmt.Sprintf("MAE %s, 95 %% interval %.3f to %.3f; constant %.3f; %d seeds", meanStd("mae", s.Test), s.Interval[0],
			s.Interval[1], constant.Scores.MAE, len(row.Seeds))
	}
	return c
}

// beatsPaper asks whether a mean is at least as good as what the paper reports for the same system and data.
func beatsPaper(row table.Row, name string) Claim {
	title, _ := metric.Title(name)      // names of the table's own
	direction, _ := metric.Better(name) // the same
	c := Claim{Says: fmt.Sprintf("%s on %s reaches the paper's %s", row.Name, row.Data, title), Holds: Unknown,
		Evidence: "the paper reports nothing for this system on this data"}
	s, ok := scoreOf(row, name)
	if !ok || math.IsNaN(float64(s.Paper)) {
		return c
	}
	c.Holds = answer(!direction.Better(float64(s.Paper), float64(s.Test.Mean)))
	c.Evidence = fmt.Sprintf("ours %s, the paper's %s (%s), %d seeds", meanStd(name, s.Test), metric.Show(name, float64(s.Paper)), row.PaperNote, len(row.Seeds))
	return c
}

// unreported says in one claim for all rows that they cannot be held against the paper.
func unreported(rows []table.Row) []Claim {
	var names []string
	for _, row := range rows {
		if row.PaperNote == "" {
			names = append(names, row.Name+" on "+row.Data)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []Claim{{
		Says: "The scores reach the paper's", Holds: Unknown,
		Evidence: "the paper reports nothing for the same system on the same data as " + strings.Join(names, ", "),
	}}
}

// recovers asks of planted data whether pseudo-labels end nearer to the unimodal truth than y_m is.
func recovers(run *record.Reader) (claims []Claim, err error) {
	lines, err := record.Read[experiment.ULGMLine](run, record.ULGM)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	last := lines[len(lines)-1]
	for _, task := range tasksOf(last) {
		drift := last.Tasks[task]
		if math.IsNaN(float64(drift.Truth)) {
			continue
		}
		claims = append(claims, Claim{
			Says:     fmt.Sprintf("%s: the label generator finds something of the truth of %s, which it is never shown", run.Manifest().Model, task),
			Holds:    answer(drift.Truth > drift.MultimodalTruth),
			Evidence: fmt.Sprintf("correlation with the planted truth %.3f for y_s, %.3f for y_m, after epoch %d", drift.Truth, drift.MultimodalTruth, last.Epoch),
		})
	}
	return claims, nil
}

func answer(holds bool) Answer {
	if holds {
		return Yes
	}
	return No
}

// verdict sums up claims in a sentence or two.
func verdict(claims []Claim, failures int) string {
	counts := map[Answer]int{}
	for _, c := range claims {
		counts[c.Holds]++
	}
	text := fmt.Sprintf("Of %d claims %d hold, %d do not, and %d cannot be said from these runs.", len(claims), counts[Yes], counts[No], counts[Unknown])
	if failures > 0 {
		text += fmt.Sprintf(" %d runs did not finish; they are kept below.", failures)
	}
	return text
}

func scoreOf(row table.Row, name string) (table.Score, bool) {
	for _, s := range row.Scores {
		if s.Metric == name && len(row.Seeds) > 0 {
			return s, true
		}
	}
	return table.Score{}, false
}
