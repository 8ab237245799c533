// Package panel writes what an exhibit shows as HTML: once when a page is made, so that there is something to see without
// WebAssembly, and again in the page whenever the reader moves something.
package panel

import (
	"fmt"
	"math"
	"strings"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

// Answer is what changes in the page.
type Answer struct {
	Regions map[string]Markup `json:"regions"` // by name: outcome, words, steps, labels, refusion
	Gates   map[string]Gate   `json:"gates"`   // by tap
	Said    string            `json:"said"`    // for those who listen
	Label   float64           `json:"label"`   // y_m
	// Predictions by task, at full precision.
	Predictions map[mmiln.Task]float32 `json:"predictions"`
}

// Gate is where a gate stands: its mean, and the same for people.
type Gate struct {
	Mean float64 `json:"mean"`
	Text string  `json:"text"`
}

// Seen shows one utterance.
func Seen(v *exhibit.View, c exhibit.Controls) Answer {
	a := Answer{Gates: map[string]Gate{}, Said: said(v, c), Label: v.Truth.Label, Predictions: v.Predictions, Regions: map[string]Markup{
		"outcome": outcome(v), "words": words(v, c), "steps": steps(v, c), "labels": labels(v, c),
	}}
	for tap, gate := range v.Gates {
		text := fmt.Sprintf("%.2f", gate.Moved)
		if _, moved := c.Gates[tap]; moved {
			text = fmt.Sprintf("%.2f, was %.2f", gate.Moved, gate.Computed)
		}
		a.Gates[tap] = Gate{float64(gate.Moved), text}
	}
	return a
}

// Compared shows re-fusion.
func Compared(r *exhibit.Refusion) Answer {
	return Answer{Regions: map[string]Markup{"refusion": refusion(r)}}
}

// said is the outcome in one sentence.
func said(v *exhibit.View, c exhibit.Controls) string {
	text := fmt.Sprintf("Predicted sentiment %s, planted truth %s.", signed(float64(v.Predictions[mmiln.Multimodal])),
		signed(float64(v.Truth.Multimodal)))
	for _, p := range v.Pseudo {
		text += fmt.Sprintf(" Pseudo-label of %s %s.", Name(string(p.Task)), signed(p.Label))
	}
	if len(c.Drop) > 0 {
		var names []string
		for _, m := range c.Drop {
			names = append(names, Name(m))
		}
		text += " Withheld: " + strings.Join(names, ", ") + "."
	}
	if n := len(c.Gates); n > 0 {
		text += fmt.Sprintf(" Gates moved: %d.", n)
	}
	return text
}

// signed has a real minus sign.
func signed(v float64) string {
	text := fmt.Sprintf("%+.2f", v)
	if strings.Trim(text, "+-0.") == "" {
		return "0.00"
	}
	return strings.Replace(text, "-", "−", 1)
}

// Name is what a modality or task is called in the page, where the paper's video is vision in code.
func Name(task string) string {
	if task == string(mmiln.Vision) {
		return "video"
	}
	return task
}

// along places a sentiment on an axis from −3 to 3 that is so many units long, with a margin at both ends.
func along(v, length float64) float64 {
	const margin = 8
	share := (min(max(v, -3), 3) + 3) / 6
	return round(margin + share*(length-2*margin))
}

func round(v float64) float64 { return math.Round(10*v) / 10 }
