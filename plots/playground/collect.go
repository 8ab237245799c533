package playground

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

// Collect takes from a run folder, and from the data set that it was trained on, what a page needs: the weights of the best
// epoch and a batch of validation examples. The test split stays sealed.
func Collect(runDir string, o Options) (*exhibit.Bundle, error) {
	best, err := experiment.OpenBest(runDir)
	if err != nil {
		return nil, err
	}
	if best.Config.System != "mmiln" {
		return nil, fmt.Errorf("%s is a run of %s; the playground moves the gates of MMILN: choose a run of that", runDir, best.Config.System)
	}
	if best.Config.MMILN.Readings.SummaryPool == "all" {
		return nil, fmt.Errorf("%s averages summaries over padded steps too (R4, summary_pool), so that its predictions depend on the padding, which is another in the page: choose a run that averages over valid steps", runDir)
	}
	dir := cmp.Or(o.Data, best.Config.Data.Dir)
	development, _, err := data.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("the data set that %s was trained on: %w", runDir, err)
	}
	generated, err := plantedConfig(dir, development.Card())
	if err != nil {
		return nil, err
	}
	var examples data.Examples = development.Valid
	b := &exhibit.Bundle{Weights: best.Weights, ULGM: best.ULGM, Header: exhibit.Header{
		Run: filepath.Base(filepath.Clean(runDir)), Epoch: best.Epoch, Model: best.Config.MMILN, ULGM: best.Config.ULGM, Data: generated,
	}}
	if best.Config.Data.Normalise == "standard" {
		b.Normaliser = &best.Normaliser
		examples = data.WithNormaliser(best.Normaliser, examples)
	}
	return b, fill(b, examples)
}

// plantedConfig is what a planted data set was generated from: its words can be embedded again.
func plantedConfig(dir string, card data.Card) (c planted.Config, err error) {
	if card.Source.Format != "planted" {
		return c, fmt.Errorf("%s comes from %s, whose words the page could not turn into features; train on a planted set: `mmiln data planted --size demo --out .data/demo`, `mmiln train demo`",
			dir, card.Source.Format)
	}
	if err := json.Unmarshal([]byte(card.Source.Note), &c); err != nil {
		return c, fmt.Errorf("%s/card.json: note: %w", dir, err)
	}
	return c, c.Validate()
}

// batchSize is how many examples moments are taken over at least, the utterance among them: a training batch of the baseline.
const batchSize = 16

// fill chooses the examples: first those to show, then those to take audio and vision from, then others for the batch.
func fill(b *exhibit.Bundle, examples data.Examples) error {
	if examples.Len() < 2 {
		return fmt.Errorf("the data set has %d examples for validation; the page shows one beside others: it needs 2", examples.Len())
	}
	short, steps := fitting(examples, b.Data.Length)
	rows := telling(examples, short)
	b.Shown = len(rows)
	add := func(row int) int {
		if i := slices.Index(rows, row); i >= 0 {
			return i
		}
		rows = append(rows, row)
		return len(rows) - 1
	}
	for _, m := range []data.Modality{data.Audio, data.Vision} {
		for i, aim := range []float32{-2, 0, 2} {
			b.Templates[m][i] = add(nearest(examples, short, m, aim))
		}
	}
	for _, row := range short {
		if len(rows) < b.Shown+batchSize-1 {
			add(row)
		}
	}
	batch, err := examples.Batch(rows, steps)
	if err != nil {
		return err
	}
	for _, row := range rows {
		b.Infos = append(b.Infos, examples.Info(row))
	}
	b.Sequences = batch.Sequences
	return nil
}

// room is how many steps of each modality a page takes where the data has enough examples that fit: the recurrent layers go
// through all of them, padded or not, and an answer has to be there at once.
var room = [3]int{data.Text: 16, data.Audio: 24, data.Vision: 24}

// fitting lists the examples that fit into room, or all where those are too few for a batch, and the steps that hold them.
func fitting(examples data.Examples, longest [3]int) (rows []int, steps [3]int) {
	for _, m := range data.Modalities {
		steps[m] = min(room[m], longest[m])
	}
	var all []int
	for row := range examples.Len() {
		lengths := examples.Info(row).Lengths
		all = append(all, row)
		if lengths[0] <= steps[0] && lengths[1] <= steps[1] && lengths[2] <= steps[2] {
			rows = append(rows, row)
		}
	}
	if len(rows) < 2*batchSize {
		return all, longest
	}
	return rows, steps
}

// telling chooses examples that differ: those where one modality contradicts the others the most, clearly positive, clearly
// negative and near zero.
func telling(examples data.Examples, among []int) []int {
	scores := []func(i data.Info) float64{
		func(i data.Info) float64 { return against(i, data.Audio) },
		func(i data.Info) float64 { return agreement(i, 1) },
		func(i data.Info) float64 { return agreement(i, -1) },
		func(i data.Info) float64 { return against(i, data.Vision) },
		func(i data.Info) float64 { return against(i, data.Text) },
		func(i data.Info) float64 { return -math.Abs(float64(i.Label)) },
	}
	var rows []int
	for _, score := range scores {
		best := -1
		for _, row := range among {
			if slices.Contains(rows, row) || best >= 0 && score(examples.Info(row)) <= score(examples.Info(best)) {
				continue
			}
			best = row
		}
		if best >= 0 && 2*len(rows) < len(among) {
			rows = append(rows, best)
		}
	}
	return rows
}

// agreement is how strongly the three modalities say the same.
func agreement(i data.Info, sign float64) float64 {
	least := math.Inf(1)
	for _, truth := range i.Unimodal {
		least = min(least, sign*float64(truth))
	}
	return least
}

// against is how far one modality contradicts the other two.
func against(i data.Info, m data.Modality) float64 {
	total := float64(-3 * i.Unimodal[m])
	for _, truth := range i.Unimodal {
		total += float64(truth)
	}
	return math.Abs(total)
}

// nearest is the example whose truth of a modality comes closest.
func nearest(examples data.Examples, among []int, m data.Modality, aim float32) int {
	best := among[0]
	off := func(row int) float64 { return math.Abs(float64(examples.Info(row).Unimodal[m] - aim)) }
	for _, row := range among {
		if off(row) < off(best) {
			best = row
		}
	}
	return best
}
