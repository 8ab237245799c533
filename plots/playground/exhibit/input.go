package exhibit

import (
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
)

// utterance is what the model is shown: one row of each modality, normalised and padded, and its truth.
type utterance struct {
	words   []string
	rows    [3][]float32 // [Steps, Width] each
	lengths [3]int32
	truth   [3]float32
}

// compose puts an utterance together from the reader's controls.
func (e *Exhibit) compose(c Controls) (u utterance, err error) {
	if u.words, err = e.words(c); err != nil {
		return u, err
	}
	for m, source := range map[data.Modality]string{data.Text: Example, data.Audio: c.Audio, data.Vision: c.Vision} {
		u.take(e.bundle, m, e.row(c, m, source))
	}
	if own := strings.TrimSpace(c.Words) != ""; own {
		if err := u.write(e.bundle); err != nil {
			return u, err
		}
	}
	for _, m := range data.Modalities {
		if slices.Contains(c.Drop, m.String()) { // as mmiln withholds a modality: one zero step
			u.rows[m], u.lengths[m] = make([]float32, len(u.rows[m])), 1
		}
	}
	return u, nil
}

// row is the example that a modality comes from.
func (e *Exhibit) row(c Controls, m data.Modality, source string) int {
	if i := slices.Index(Templates[:], source); i >= 0 {
		return e.bundle.Templates[m][i]
	}
	return c.Example
}

func (u *utterance) take(b *Bundle, m data.Modality, row int) {
	s := b.Sequences[m]
	size := s.Steps * s.Width
	u.rows[m], u.lengths[m], u.truth[m] = s.Values[row*size:(row+1)*size], s.Lengths[row], b.Infos[row].Unimodal[m]
}

// write gives the words their features, as the data set embeds them.
func (u *utterance) write(b *Bundle) error {
	s := b.Sequences[data.Text]
	values := make([]float32, s.Steps*s.Width)
	copy(values, b.Data.Embed(u.words))
	var examples data.Examples = typed{data.Sequences{
		Values: values, Lengths: []int32{int32(len(u.words))}, Steps: s.Steps, Width: s.Width,
	}}
	if b.Normaliser != nil {
		examples = data.WithNormaliser(data.Normaliser{
			Mean: [3][]float32{data.Text: b.Normaliser.Mean[data.Text]}, Std: [3][]float32{data.Text: b.Normaliser.Std[data.Text]},
		}, examples)
	}
	batch, err := examples.Batch([]int{0}, [3]int{})
	if err != nil {
		return err
	}
	written := batch.Sequences[data.Text]
	u.rows[data.Text], u.lengths[data.Text] = written.Values, written.Lengths[0]
	u.truth[data.Text] = float32(planted.Score(u.words))
	return nil
}

// typed is a data set of one example that has text alone.
type typed struct{ text data.Sequences }

func (typed) Len() int           { return 1 }
func (typed) Info(int) data.Info { return data.Info{} }
func (t typed) Batch([]int, [3]int) (*data.Batch, error) {
	return &data.Batch{Rows: []int{0}, Sequences: [3]data.Sequences{data.Text: t.text}}, nil
}

// tensors are x [1, T, d] and lengths [1] of each modality.
func (u utterance) tensors(b *Bundle) []any {
	var all []any
	for _, m := range data.Modalities {
		s := b.Sequences[m]
		all = append(all, tensors.FromFlatDataAndDimensions(slices.Clone(u.rows[m]), 1, s.Steps, s.Width),
			tensors.FromFlatDataAndDimensions([]int32{u.lengths[m]}, 1))
	}
	return all
}

// others are the same of the n examples that are not shown.
func (b *Bundle) others() []any {
	var all []any
	for _, m := range data.Modalities {
		s, n := b.Sequences[m], len(b.Infos)-b.Shown
		all = append(all, tensors.FromFlatDataAndDimensions(slices.Clone(s.Values[b.Shown*s.Steps*s.Width:]), n, s.Steps, s.Width),
			tensors.FromFlatDataAndDimensions(slices.Clone(s.Lengths[b.Shown:]), n))
	}
	return all
}

// moves [gates, 3] are the arguments of the gates, see [Exhibit.forward]; one neutral row where there are no gates.
func (e *Exhibit) moves(c Controls) []float32 {
	flat := make([]float32, 0, 3*max(len(e.gates), 1))
	for _, name := range e.gates {
		to, moved := c.Gates[name]
		switch {
		case !moved:
			flat = append(flat, 1, 0, 0)
		case c.How == Scale:
			flat = append(flat, 0, float32(to), 0)
		default:
			flat = append(flat, 0, 0, float32(to))
		}
	}
	if len(e.gates) == 0 {
		flat = append(flat, 1, 0, 0)
	}
	return flat
}
