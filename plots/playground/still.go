package playground

import (
	"fmt"
	"html/template"
	"slices"
	"strings"

	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/plots/playground/exhibit"
	"github.com/mmiln/workbench/plots/playground/panel"
)

// still is what the page shows before its program runs, or where it never does.
type still struct {
	Run             string
	Epoch           int
	Parameters      int
	Examples        []choice
	Layers          []int // from 1
	GateRows        []gateRow
	Vocabulary      []vocabulary
	Neutral         exhibit.Controls
	Limit           float64
	MaxEpochs       int
	MaxWords        int
	Orders          []int
	Guards          []float64
	Label           float32
	Regions         map[string]template.HTML
	Said            string
	Bundle, Program template.HTML // base64 of gzipped content
}

type choice struct {
	Words string
	Label float32
	Says  [3]float32 // what text, audio and video say by themselves
}

// gateRow is one gate in all layers.
type gateRow struct {
	Block, Name, Symbol string
	Cells               []gateCell
}

type gateCell struct {
	Layer int
	Tap   string
	panel.Gate
}

// newStill runs the model once, as the page will.
func newStill(b *exhibit.Bundle) (still, error) {
	backend, _, err := device.Open("go")
	if err != nil {
		return still{}, err
	}
	e, err := exhibit.Open(b, backend)
	if err != nil {
		return still{}, err
	}
	c := b.Neutral()
	v, err := e.See(c)
	if err != nil {
		return still{}, err
	}
	r, err := e.Compare(c)
	if err != nil {
		return still{}, err
	}
	s := still{
		Run: b.Run, Epoch: b.Epoch, Neutral: c, Limit: b.Header.ULGM.Limit, MaxEpochs: exhibit.MaxEpochs,
		MaxWords: b.Sequences[0].Steps, Label: v.Truth.Multimodal, Vocabulary: vocabularies(), Regions: map[string]template.HTML{},
		Orders: exhibit.Orders(), Guards: guards(c.Guard),
	}
	seen := panel.Seen(v, c)
	s.Said = seen.Said
	for _, regions := range []map[string]panel.Markup{seen.Regions, panel.Compared(r).Regions} {
		for name, markup := range regions {
			s.Regions[name] = template.HTML(markup)
		}
	}
	s.describe(b)
	s.GateRows = gateRows(e.Gates(), seen.Gates)
	return s, nil
}

// guards are those to choose from, with the run's own.
func guards(own float64) []float64 {
	all := []float64{0, 0.001, 0.01, 0.1, 0.3}
	if !slices.Contains(all, own) {
		all = append(all, own)
	}
	slices.Sort(all)
	return all
}

func (s *still) describe(b *exhibit.Bundle) {
	for _, info := range b.Infos[:b.Shown] {
		s.Examples = append(s.Examples, choice{info.Words, info.Label, info.Unimodal})
	}
	for i := range b.Model.Layers {
		s.Layers = append(s.Layers, i+1)
	}
	for _, weights := range b.Weights {
		if weights.DType == "F32" {
			s.Parameters += len(weights.Data) / 4
		}
	}
}

// gateRows groups gates, which come layer by layer, into rows.
func gateRows(taps []string, gates map[string]panel.Gate) []gateRow {
	symbols := map[string][2]string{"g_r": {"retain", "r"}, "g_c": {"compound", "c"}, "g_s": {"select", "s"}}
	var rows []gateRow
	at := map[string]int{}
	for _, tap := range taps {
		parts := strings.Split(tap, ".") // layers.<i>.<gate or sag>.<modality>.<tap>
		key := strings.Join(parts[2:], ".")
		if _, known := at[key]; !known {
			at[key] = len(rows)
			block := "GateTransformer, " + panel.Name(parts[3])
			if parts[2] == "sag" {
				block = "SAG, text–" + panel.Name(parts[3])
			}
			rows = append(rows, gateRow{Block: block, Name: symbols[parts[4]][0], Symbol: symbols[parts[4]][1]})
		}
		row := &rows[at[key]]
		row.Cells = append(row.Cells, gateCell{Layer: len(row.Cells) + 1, Tap: tap, Gate: gates[tap]})
	}
	return rows
}

// vocabulary is the words of the lexicon that mean the same.
type vocabulary struct{ Meaning, Words string }

func vocabularies() []vocabulary {
	words := map[string][]string{}
	value := map[string]float64{}
	for _, entry := range planted.Lexicon() {
		meaning := panel.Meaning(entry)
		if entry.Kind == planted.Neutral {
			meaning = "says nothing"
		}
		words[meaning] = append(words[meaning], entry.Word)
		value[meaning] = rank(entry)
	}
	var all []vocabulary
	for meaning, list := range words {
		all = append(all, vocabulary{meaning, strings.Join(list, ", ")})
	}
	slices.SortFunc(all, func(a, b vocabulary) int {
		if value[a.Meaning] > value[b.Meaning] {
			return -1
		}
		return 1
	})
	return all
}

// rank puts cues before modifiers before neutral words, each from high to low.
func rank(entry planted.Entry) float64 {
	return entry.Value - 10*float64(map[planted.Kind]int{planted.Cue: 0, planted.Booster: 1, planted.Negator: 2, planted.Neutral: 3}[entry.Kind])
}

var functions = template.FuncMap{
	"signed": func(v any) string { return strings.Replace(fmt.Sprintf("%+.1f", v), "-", "−", 1) },
	"thousands": func(n int) string {
		text := fmt.Sprint(n)
		for i := len(text) - 3; i > 0; i -= 3 {
			text = text[:i] + " " + text[i:]
		}
		return text
	},
}
