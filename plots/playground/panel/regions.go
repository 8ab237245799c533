package panel

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

// outcome has a row for each head.
func outcome(v *exhibit.View) Markup {
	rows := []Markup{outcomeRow("multimodal", v.Predictions[mmiln.Multimodal], v.Truth.Multimodal, nil)}
	for _, p := range v.Pseudo {
		rows = append(rows, outcomeRow(Name(string(p.Task)), v.Predictions[p.Task], p.Truth, &p.Label))
	}
	caption := Markup("Sentiment from −3 to +3: predicted <b>●</b>, planted truth <b>◇</b>, pseudo-label <b>▲</b>")
	return table(caption, []any{"task", "predicted", "truth", "pseudo-label", el("span", class("wide"), "−3 … +3")}, rows)
}

func outcomeRow(name string, predicted, truth float32, pseudo *float64) Markup {
	const length = 220
	middle := along(0, length)
	parts := []any{
		line("axis", 8, 12, length-8, 12), line("axis", middle, 5, middle, 19),
		mark("truth", along(float64(truth), length), 12),
	}
	text := "–"
	if pseudo != nil {
		text = signed(*pseudo)
		parts = append(parts, mark("pseudo", along(*pseudo, length), 12))
	}
	parts = append(parts, mark("predicted", along(float64(predicted), length), 12))
	return row(name, el("strong", signed(float64(predicted))), signed(float64(truth)), text, drawing(length, 24, parts...))
}

// words shows what each word says and how much self-attention it receives in the chosen layer, Eq. (15).
func words(v *exhibit.View, c exhibit.Controls) Markup {
	caption := fmt.Sprintf("The sentence scores %s; self-attention that its words receive in layer %d",
		signed(float64(v.Truth.Text)), c.Layer+1)
	withheld := slices.Contains(c.Drop, data.Text.String())
	if withheld {
		caption = "Text is withheld: the model sees one step of zeros in place of these words"
	}
	meaning := meanings()
	var rows []Markup
	for i, word := range v.Words {
		cells := []any{meaning(word)}
		for _, n := range mmiln.Auxiliary {
			received := v.Attention[fmt.Sprintf("layers.%d.sag.%s.self.probabilities", c.Layer, n)]
			if withheld || i >= len(received) {
				cells = append(cells, "–")
				continue
			}
			cells = append(cells, share(received, i))
		}
		rows = append(rows, row(word, cells...))
	}
	return table(el("span", caption), []any{"word", "says", "in text–audio", "in text–video"}, rows)
}

// share is a bar, the longest of them 60 wide, and a percentage.
func share(all []float32, i int) Markup {
	width := round(60 * float64(all[i]/max(slices.Max(all), 1e-9)))
	bar := el("rect", class("bar"), attr("width", width), attr("height", 10))
	return drawing(60, 10, bar) + el("span", class("percent"), fmt.Sprintf("%.0f %%", 100*all[i]))
}

// meanings looks words up in the lexicon.
func meanings() func(string) string {
	entries := map[string]planted.Entry{}
	for _, entry := range planted.Lexicon() {
		entries[entry.Word] = entry
	}
	return func(word string) string {
		entry, known := entries[word]
		if !known {
			return "unknown: nothing"
		}
		return Meaning(entry)
	}
}

// Meaning is what a word does to a sentence's sentiment.
func Meaning(entry planted.Entry) string {
	switch entry.Kind {
	case planted.Cue:
		return signed(entry.Value)
	case planted.Negator, planted.Booster:
		return strings.Replace(fmt.Sprintf("× %g", entry.Value), "-", "−", 1)
	}
	return ""
}

// steps shows the attention that text pays to the steps of audio and video, Eq. (21).
func steps(v *exhibit.View, c exhibit.Controls) Markup {
	var all Markup
	for i, n := range mmiln.Auxiliary {
		received := v.Attention[fmt.Sprintf("layers.%d.sag.%s.attention.probabilities", c.Layer, n)]
		received = received[:min(v.Lengths[i+1], len(received))]
		if len(received) == 0 {
			continue
		}
		most := slices.Index(received, slices.Max(received))
		text := fmt.Sprintf("Steps of %s that text attends to in layer %d: most to step %d of %d, %.0f %%",
			Name(string(n)), c.Layer+1, most+1, len(received), 100*received[most])
		if slices.Contains(c.Drop, string(n)) {
			text = fmt.Sprintf("%s is withheld: text attends to one step of zeros", title(Name(string(n))))
		}
		all += el("figure", el("figcaption", text), strip(received, received[most]))
	}
	return all
}

func title(name string) string { return strings.ToUpper(name[:1]) + name[1:] }

func strip(received []float32, most float32) Markup {
	const wide, high = 11, 40
	var bars []Markup
	for k, attention := range received {
		height := round(high * float64(attention/most))
		bars = append(bars, el("rect", class("bar"), attr("x", wide*k+1), attr("y", round(high-height)), attr("width", wide-2),
			attr("height", height)))
	}
	return drawing(float64(wide*len(received)), high, bars)
}

// refusion has a row for every number of moments.
func refusion(r *exhibit.Refusion) Markup {
	if len(r.Similarity) == 0 {
		return el("p", "This ablation leaves re-fusion nothing to compare.")
	}
	columns := []any{"K"}
	foot := []any{}
	for i, difference := range r.Difference {
		columns = append(columns, fmt.Sprintf("layer %d", i+1))
		foot = append(foot, fmt.Sprintf("%.4g", difference))
	}
	var rows []Markup
	for k, layers := range r.Similarity {
		cells := []any{}
		for _, similarity := range layers {
			cells = append(cells, fmt.Sprintf("%.4f", similarity))
		}
		name := el("span", fmt.Sprint(k+1))
		if k+1 == r.Orders {
			name = el("strong", fmt.Sprintf("%d ◀ chosen", k+1))
		}
		rows = append(rows, row(name, cells...))
	}
	caption := el("span", sub("ℓ", "sim"), " between text–audio and text–video with K moments, and ℓ", el("sub", "diff"),
		fmt.Sprintf(", over this utterance and %d others", r.Others()))
	return table(caption, columns, rows, row(sub("ℓ", "diff"), foot...))
}
