package data

import (
	"fmt"
	"slices"

	"github.com/mmiln/workbench/data/npy"
)

// Split is a training or validation split. It implements [Examples] and is safe for concurrent use.
type Split struct{ split }

var _ Examples = (*Split)(nil)

// split is what [Split] and [TestSplit] have in common.
type split struct {
	infos  []Info
	arrays [tokens + 1]ragged // see layouts
}

// ragged is an array of sequences of different lengths, one after the other: [Σ length, width], or [Σ length] of token ids.
type ragged struct {
	array *npy.Array // nil where there is none
	begin []int      // [examples] first step of each
}

// Len is the number of examples.
func (s *split) Len() int { return len(s.infos) }

// Info is the index' entry of example i.
func (s *split) Info(i int) Info { return s.infos[i] }

// Batch implements [Examples].
func (s *split) Batch(rows []int, steps [3]int) (*Batch, error) {
	if err := s.fit(rows, &steps); err != nil {
		return nil, err
	}
	b := &Batch{Rows: slices.Clone(rows), Labels: make([]float32, len(rows))}
	for _, m := range Modalities {
		b.Sequences[m] = s.sequences(m, rows, steps[m])
		b.Unimodal[m] = make([]float32, len(rows))
	}
	for i, row := range rows {
		info := s.infos[row]
		b.Labels[i] = info.Label
		for m, label := range info.Unimodal {
			b.Unimodal[m][i] = label
		}
	}
	if s.arrays[tokens].array != nil {
		b.Tokens, b.TokenLengths = s.tokens(rows, steps[Text])
	}
	return b, nil
}

// fit checks rows, and that they fit in steps; it sets steps that are 0.
func (s *split) fit(rows []int, steps *[3]int) error {
	longest := [3]int{1, 1, 1}
	for _, row := range rows {
		if row < 0 || row >= len(s.infos) {
			return fmt.Errorf("data: there is no row %d; rows are 0 to %d", row, len(s.infos)-1)
		}
		for m, n := range s.infos[row].needed() {
			longest[m] = max(longest[m], n)
			if steps[m] != 0 && n > steps[m] {
				return fmt.Errorf("data: example %q has %d steps of %s, and the batch is padded to %d; ask for more, or 0",
					s.infos[row].ID, n, Modality(m), steps[m])
			}
		}
	}
	for m := range steps {
		if steps[m] <= 0 {
			steps[m] = longest[m]
		}
	}
	return nil
}

// needed is how many steps of a batch the example takes: token ids share those of text.
func (e Info) needed() [3]int {
	n := e.Lengths
	n[Text] = max(n[Text], e.Tokens)
	return n
}

func (s *split) sequences(m Modality, rows []int, steps int) Sequences {
	from := s.arrays[m]
	q := Sequences{Lengths: make([]int32, len(rows)), Steps: steps}
	if from.array == nil {
		return q
	}
	q.Width = from.array.Shape[1]
	q.Values = make([]float32, len(rows)*steps*q.Width)
	for i, row := range rows {
		length := s.infos[row].Lengths[m]
		q.Lengths[i] = int32(length)
		from.array.Floats(q.Values[i*steps*q.Width:][:length*q.Width], from.begin[row]*q.Width)
	}
	return q
}

func (s *split) tokens(rows []int, steps int) (ids, lengths []int32) {
	ids, lengths = make([]int32, len(rows)*steps), make([]int32, len(rows))
	for i, row := range rows {
		n := s.infos[row].Tokens
		lengths[i] = int32(n)
		s.arrays[tokens].array.Ints(ids[i*steps:][:n], s.arrays[tokens].begin[row])
	}
	return ids, lengths
}
