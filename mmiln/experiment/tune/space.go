// Package tune searches for hyperparameters: grid, random, and the tree-structured Parzen estimator. It proposes points and is
// told their scores; it knows nothing of training.
//
// A method proposes as a function of its seed and of the trials so far. So the same seed gives the same trials, however many
// run at once, and a search that was interrupted goes on as if it had not been.
package tune

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Parameter is a hyperparameter and what may become of it: some values, or a range of numbers.
type Parameter struct {
	Key     string  `json:"key"`              // of the configuration, such as "optimiser.other.rate"
	Values  []any   `json:"values,omitempty"` // to choose from; none for a range
	Low     float64 `json:"low,omitempty"`
	High    float64 `json:"high,omitempty"`
	Log     bool    `json:"log,omitempty"`     // the range's logarithm is uniform, not the range
	Integer bool    `json:"integer,omitempty"` // whole numbers only, both ends included
}

// IsRange says whether the parameter has a range and no list of values.
func (p Parameter) IsRange() bool { return p.Values == nil }

// Validate says what makes a parameter impossible to search.
func (p Parameter) Validate() error {
	switch {
	case !p.IsRange() && len(p.Values) == 0:
		return fmt.Errorf("%s has no values; list at least one, or give a range {low = …, high = …}", p.Key)
	case !p.IsRange():
		return nil
	case !finite(p.Low) || !finite(p.High):
		return fmt.Errorf("%s ranges from %v to %v; use finite numbers", p.Key, p.Low, p.High)
	case p.Low >= p.High:
		return fmt.Errorf("%s: low is %v and high is %v; low must be below high", p.Key, p.Low, p.High)
	case p.Log && p.Low <= 0:
		return fmt.Errorf("%s: low is %v and log is true; a logarithmic range begins above 0", p.Key, p.Low)
	case p.Integer && (p.Low != math.Trunc(p.Low) || p.High != math.Trunc(p.High)):
		return fmt.Errorf("%s is an integer from %v to %v; use whole numbers for both ends", p.Key, p.Low, p.High)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// String shows what is searched, such as "mmiln.dropout {0, 0.1}" or "optimiser.other.rate 0.0001…0.01 (log)".
func (p Parameter) String() string {
	if !p.IsRange() {
		text, _ := json.Marshal(p.Values) // they came from a file and go back into one
		return fmt.Sprintf("%s {%s}", p.Key, text[1:len(text)-1])
	}
	text := fmt.Sprintf("%s %s…%s", p.Key, number(p.Low), number(p.High))
	if p.Log {
		text += " (log)"
	}
	return text
}

// Space is all that a search varies.
type Space []Parameter

// Validate says what makes a space impossible to search.
func (s Space) Validate() error {
	if len(s) == 0 {
		return fmt.Errorf("there is nothing to search; sweep at least one key")
	}
	seen := map[string]bool{}
	for _, p := range s {
		if err := p.Validate(); err != nil {
			return err
		}
		if seen[p.Key] {
			return fmt.Errorf("%s is swept twice; remove one", p.Key)
		}
		seen[p.Key] = true
	}
	return nil
}

// Point has one coordinate for each parameter of a space: the index of a value, or a number within a range.
type Point []float64

// Settings writes a point as the settings that `mmiln train --set` takes, such as "mmiln.dropout=0.1".
func (s Space) Settings(point Point) []string {
	out := make([]string, len(s))
	for i, p := range s {
		value := number(point[i])
		if !p.IsRange() {
			text, _ := json.Marshal(p.Values[int(point[i])]) // it came from a file
			value = string(text)
		}
		out[i] = p.Key + "=" + value
	}
	return out
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// at maps u in [0, 1] to the range: four significant digits are enough for any hyperparameter, and read better.
func (p Parameter) at(u float64) float64 {
	v := p.Low + u*(p.High-p.Low)
	if p.Log {
		v = math.Exp(math.Log(p.Low) + u*(math.Log(p.High)-math.Log(p.Low)))
	}
	if p.Integer {
		v = math.Round(v)
	} else {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	}
	return min(max(v, p.Low), p.High)
}

// unit is the inverse of at, but for rounding.
func (p Parameter) unit(v float64) float64 {
	if p.Log {
		return (math.Log(v) - math.Log(p.Low)) / (math.Log(p.High) - math.Log(p.Low))
	}
	return (v - p.Low) / (p.High - p.Low)
}
