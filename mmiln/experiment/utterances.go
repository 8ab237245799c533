package experiment

import (
	"fmt"
	"slices"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/npy"
)

// Utterances are sentences to predict, with whatever features of audio and vision there are. They are [data.Examples] without
// labels. A modality that is not given has length 0: it is masked wherever the model looks at it.
type Utterances struct {
	words    []string
	width    [3]int
	features [3][][]float32 // [utterances][steps × width]; nil where not given
}

// Utterances returns sentences for this model, without audio and vision. It is an error if the model cannot read sentences.
func (p *Predictor) Utterances(words []string) (*Utterances, error) {
	if p.reader.text == nil {
		return nil, errNoText
	}
	for i, text := range words {
		if text == "" {
			return nil, fmt.Errorf("sentence %d is empty; write something", i+1)
		}
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("there is no sentence to predict")
	}
	return &Utterances{words: words, width: p.width}, nil
}

// Read takes one modality's features from a .npy file: [d] or [T, d] for one sentence, [N, d] or [N, T, d] for N.
func (u *Utterances) Read(m data.Modality, path string) error {
	if u.width[m] == 0 || m == data.Text {
		return fmt.Errorf("%s: the model reads no features of %s; leave them out", path, m)
	}
	array, err := npy.Open(path)
	if err != nil {
		return err
	}
	n, shape := len(u.words), array.Shape
	if n > 1 || len(shape) == 3 {
		if len(shape) < 2 || shape[0] != n {
			return fmt.Errorf("%s is %v; for %d sentences its first axis must be %d", path, shape, n, n)
		}
		shape = shape[1:]
	}
	if len(shape) == 0 || len(shape) > 2 || shape[len(shape)-1] != u.width[m] {
		return fmt.Errorf("%s is %v; the model reads %s of %d features a step", path, array.Shape, m, u.width[m])
	}
	if array.Len() == 0 {
		return fmt.Errorf("%s is empty", path)
	}
	flat := make([]float32, array.Len())
	array.Floats(flat, 0)
	u.features[m] = slices.Collect(slices.Chunk(flat, len(flat)/n))
	return nil
}

// Missing lists what the model was trained on and the sentences lack.
func (u *Utterances) Missing() (missing []data.Modality) {
	for _, m := range []data.Modality{data.Audio, data.Vision} {
		if u.width[m] > 0 && u.features[m] == nil {
			missing = append(missing, m)
		}
	}
	return missing
}

// Len implements [data.Examples].
func (u *Utterances) Len() int { return len(u.words) }

// Info implements [data.Examples].
func (u *Utterances) Info(i int) data.Info {
	info := data.Info{ID: fmt.Sprint(i + 1), Words: u.words[i]}
	for _, m := range data.Modalities {
		if u.features[m] != nil {
			info.Lengths[m] = len(u.features[m][i]) / u.width[m]
		}
	}
	return info
}

// Batch implements [data.Examples].
func (u *Utterances) Batch(rows []int, steps [3]int) (*data.Batch, error) {
	b := &data.Batch{Rows: slices.Clone(rows), Labels: make([]float32, len(rows))}
	for _, m := range data.Modalities {
		sequences := make([][]float32, len(rows))
		for i, row := range rows {
			if u.features[m] != nil {
				sequences[i] = u.features[m][row]
			}
		}
		b.Sequences[m] = padded(sequences, u.width[m], steps[m])
	}
	return b, nil
}
