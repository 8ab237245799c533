package metric

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// Direction says which of two values of a metric is the better one.
type Direction int

// The two directions.
const (
	Higher Direction = iota
	Lower
)

// String returns "higher" or "lower".
func (d Direction) String() string { return [...]string{"higher", "lower"}[d] }

// Better reports whether a beats b. NaN beats nothing, and every number beats NaN.
func (d Direction) Better(a, b float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return !math.IsNaN(a)
	}
	if d == Lower {
		return a < b
	}
	return a > b
}

// description is one row of the table that everything about names is read from.
type description struct {
	name, title string
	better      Direction
	share       bool // shown as a percentage
	field       func(*Scores) *float64
}

var descriptions = []description{
	{"has0_acc2", "Acc-2 (≥0)", Higher, true, func(s *Scores) *float64 { return &s.Has0Acc2 }},
	{"has0_f1", "F1 (≥0)", Higher, true, func(s *Scores) *float64 { return &s.Has0F1 }},
	{"non0_acc2", "Acc-2 (>0)", Higher, true, func(s *Scores) *float64 { return &s.Non0Acc2 }},
	{"non0_f1", "F1 (>0)", Higher, true, func(s *Scores) *float64 { return &s.Non0F1 }},
	{"acc3", "Acc-3", Higher, true, func(s *Scores) *float64 { return &s.Acc3 }},
	{"acc5", "Acc-5", Higher, true, func(s *Scores) *float64 { return &s.Acc5 }},
	{"acc7", "Acc-7", Higher, true, func(s *Scores) *float64 { return &s.Acc7 }},
	{"mae", "MAE", Lower, false, func(s *Scores) *float64 { return &s.MAE }},
	{"corr", "Corr", Higher, false, func(s *Scores) *float64 { return &s.Corr }},
}

// Names lists every metric, in the order of [Scores]. They are the keys of its JSON form, which also has "n".
func Names() []string {
	names := make([]string, len(descriptions))
	for i, d := range descriptions {
		names[i] = d.name
	}
	return names
}

// Better says in which direction a metric improves. An unknown name is an error.
func Better(name string) (Direction, error) {
	d, err := describe(name)
	return d.better, err
}

// Title is the heading of a metric's column in a table, such as "Acc-2 (>0)". An unknown name is an error.
func Title(name string) (string, error) {
	d, err := describe(name)
	return d.title, err
}

// Undetermined has no score for any metric, and no examples.
func Undetermined() Scores {
	var s Scores
	for _, d := range descriptions {
		*d.field(&s) = math.NaN()
	}
	return s
}

// Get returns one score by name. An unknown name is an error.
func (s Scores) Get(name string) (float64, error) {
	d, err := describe(name)
	if err != nil {
		return 0, err
	}
	return *d.field(&s), nil
}

// Format shows one score as papers print it: shares times 100 with two digits, MAE and Corr as they are with three.
// An undetermined score is "n/a". An unknown name is an error.
func (s Scores) Format(name string) (string, error) {
	d, err := describe(name)
	if err != nil {
		return "", err
	}
	return d.format(*d.field(&s)), nil
}

// Show prints a value of a metric as [Scores.Format] does; an unknown name's as a plain number.
func Show(name string, value float64) string {
	d, err := describe(name)
	if err != nil {
		return fmt.Sprint(value)
	}
	return d.format(value)
}

// String shows all scores on one line.
func (s Scores) String() string {
	var line strings.Builder
	for _, d := range descriptions {
		fmt.Fprintf(&line, "%s %s  ", d.name, d.format(*d.field(&s)))
	}
	fmt.Fprintf(&line, "n %d", s.N)
	return line.String()
}

func (d description) format(v float64) string {
	switch {
	case math.IsNaN(v):
		return "n/a"
	case d.share:
		return fmt.Sprintf("%.2f", 100*v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

func describe(name string) (description, error) {
	for _, d := range descriptions {
		if d.name == name {
			return d, nil
		}
	}
	return description{}, fmt.Errorf("metric: no metric is called %q; there are %s", name, strings.Join(Names(), ", "))
}

// encoded is the JSON form of Scores. A nil pointer is null.
type encoded struct {
	Has0Acc2 *float64 `json:"has0_acc2"`
	Has0F1   *float64 `json:"has0_f1"`
	Non0Acc2 *float64 `json:"non0_acc2"`
	Non0F1   *float64 `json:"non0_f1"`
	Acc3     *float64 `json:"acc3"`
	Acc5     *float64 `json:"acc5"`
	Acc7     *float64 `json:"acc7"`
	MAE      *float64 `json:"mae"`
	Corr     *float64 `json:"corr"`
	N        int      `json:"n"`
}

func (e *encoded) fields() []**float64 {
	return []**float64{&e.Has0Acc2, &e.Has0F1, &e.Non0Acc2, &e.Non0F1, &e.Acc3, &e.Acc5, &e.Acc7, &e.MAE, &e.Corr}
}

// MarshalJSON writes an object with the keys of [Names] and "n"; NaN is null.
func (s Scores) MarshalJSON() ([]byte, error) {
	e := encoded{N: s.N}
	for i, field := range e.fields() {
		if v := descriptions[i].field(&s); !math.IsNaN(*v) {
			*field = v
		}
	}
	return json.Marshal(e)
}

// UnmarshalJSON reads what MarshalJSON writes. A key that is null or missing is NaN.
func (s *Scores) UnmarshalJSON(text []byte) error {
	var e encoded
	if err := json.Unmarshal(text, &e); err != nil {
		return fmt.Errorf("metric: scores: %w", err)
	}
	s.N = e.N
	for i, field := range e.fields() {
		*descriptions[i].field(s) = math.NaN()
		if *field != nil {
			*descriptions[i].field(s) = **field
		}
	}
	return nil
}
