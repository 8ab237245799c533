package study

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/plan"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/tune"
)

// Trial is one line of trials.jsonl.
type Trial struct {
	Row      string        `json:"row"`    // its slug
	Number   int           `json:"number"` // from 0
	Settings []string      `json:"settings"`
	Metric   string        `json:"metric"` // of the validation split
	Score    record.Number `json:"score"`  // null where it failed
	Run      string        `json:"run,omitempty"`
	Error    string        `json:"error,omitempty"`
}

// Trials reads trials.jsonl, which is written as a whole.
func (s *Study) Trials() ([]Trial, error) {
	path := filepath.Join(s.dir, trialsFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Trial
	for line := range bytes.Lines(text) {
		var t Trial
		if err := json.Unmarshal(line, &t); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w; delete the file: it is made again from the runs of the trials", path, len(all)+1, err)
		}
		all = append(all, t)
	}
	return all, nil
}

func (s *Study) writeTrials(all []Trial) error {
	slices.SortStableFunc(all, func(a, b Trial) int {
		if order := strings.Compare(a.Row, b.Row); order != 0 {
			return order
		}
		return a.Number - b.Number
	})
	var text bytes.Buffer
	for _, t := range all {
		line, err := json.Marshal(t)
		if err != nil {
			return err
		}
		text.Write(append(line, '\n'))
	}
	return replace(filepath.Join(s.dir, trialsFile), text.Bytes())
}

// search is how far one row's search has come.
type search struct {
	row     plan.Row
	done    []tune.Trial // whole proposals only
	numbers map[int]Trial
	pending []Trial // of the present proposal, not yet tried; none at the end
}

// replay asks the method for its proposals once more and fills in the scores of those that were tried. Since a method depends on
// nothing but its seed and the scores, this is where the search stood.
func (s *Study) replay(row plan.Row, known []Trial) (*search, error) {
	spec := s.manifest.Plan.Search
	method, err := tune.New(spec.Method, spec.Trials, spec.Seed)
	if err != nil {
		return nil, err
	}
	direction, err := metric.Better(spec.Select)
	if err != nil {
		return nil, err
	}
	at := &search{row: row, numbers: map[int]Trial{}}
	for {
		points := method.Propose(row.Space, at.done)
		if len(points) == 0 {
			return at, nil
		}
		var tried []tune.Trial
		for i, point := range points {
			t := Trial{Row: row.Slug, Number: len(at.done) + i, Settings: row.Space.Settings(point), Metric: spec.Select}
			j := slices.IndexFunc(known, func(k Trial) bool {
				return k.Row == t.Row && k.Number == t.Number && slices.Equal(k.Settings, t.Settings)
			})
			if j < 0 {
				at.pending = append(at.pending, t)
				continue
			}
			at.numbers[t.Number] = known[j]
			tried = append(tried, tune.Trial{Point: point, Score: lower(direction, known[j])})
		}
		if len(at.pending) > 0 {
			return at, nil
		}
		at.done = append(at.done, tried...)
	}
}

// lower turns a score so that lower is better; a trial that failed is the worst.
func lower(d metric.Direction, t Trial) float64 {
	score := float64(t.Score)
	switch {
	case math.IsNaN(score):
		return math.Inf(1)
	case d == metric.Higher:
		return -score
	}
	return score
}

// config is the row's with a trial's settings, sealed.
func (t Trial) config(row plan.Row) (experiment.Config, error) {
	name := fmt.Sprintf("name=%q", t.name())
	return row.Config.With(append([]string{name, "train.sealed=true"}, t.Settings...)...)
}

func (t Trial) name() string { return fmt.Sprintf("%s-trial-%03d", t.Row, t.Number) }

// Chosen is what a finished search came to.
type Chosen struct {
	Trial  Trial
	Config experiment.Config // the row's, with the best trial's settings
	Failed int               // trials
}

// chosen returns the best trial of a finished search, or nil before its end. A row without a search keeps its configuration.
func (s *Study) chosen(row plan.Row, known []Trial) (*Chosen, error) {
	if len(row.Space) == 0 {
		return &Chosen{Config: row.Config}, nil
	}
	at, err := s.replay(row, known)
	if err != nil || len(at.pending) > 0 {
		return nil, err
	}
	best := tune.Best(at.done)
	if best < 0 {
		return nil, fmt.Errorf("all %d trials of row %q failed, so nothing is selected; the logs in %s say why", len(at.done), row.Name, filepath.Join(s.dir, "logs"))
	}
	c := &Chosen{Trial: at.numbers[best]}
	for _, t := range at.numbers {
		if math.IsNaN(float64(t.Score)) {
			c.Failed++
		}
	}
	c.Config, err = row.Config.With(c.Trial.Settings...)
	return c, err
}

// searchNote says what was searched and what was found, to stand beside the row's test scores.
func (s *Study) searchNote(row plan.Row, c *Chosen) string {
	if len(row.Space) == 0 || c == nil {
		return ""
	}
	spec := s.manifest.Plan.Search
	method, err := tune.New(spec.Method, spec.Trials, spec.Seed)
	if err != nil {
		return ""
	}
	var ranges []string
	for _, p := range row.Space {
		ranges = append(ranges, p.String())
	}
	title, _ := metric.Title(spec.Select) // it was validated
	note := fmt.Sprintf("%s, %d trials", spec.Method, method.Total(row.Space))
	if c.Failed > 0 {
		note += fmt.Sprintf(" (%d failed)", c.Failed)
	}
	return fmt.Sprintf("%s, valid %s %s; %s; chosen %s", note, title, metric.Show(spec.Select, float64(c.Trial.Score)),
		strings.Join(ranges, ", "), strings.Join(c.Trial.Settings, ", "))
}
