// Package mmsa imports the feature files of MMSA, the toolbox of this field (github.com/thuiar/MMSA): Python pickles
// {train, valid, test} of dicts. They are read safely, see package [pickle], and row by row, so that files larger than memory
// can be imported.
//
//	id, raw_text              N strings each
//	text, audio, vision       [N, L, d] each
//	text_bert                 [N, 3, L]: word-piece ids, mask, segments; may be missing
//	audio_lengths, …          N true lengths each; may be missing
//	regression_labels         N multimodal labels
//	regression_labels_T, …    N unimodal labels each of text, audio (A) and vision (V), in SIMS; may be missing
//
// Ids whose mask is 1 become an example's tokens; segments, which are all 0 in a set of single sentences, and whatever else a
// split holds are left out. The card's note says which keys those are.
//
// # True lengths
//
// Arrays are padded to a common number of steps, and an importer must find where each sequence ends. In the two files that
// this was written against (aligned50_229.pkl and clean752.pkl of MOSI), padding is steps of zeros at the end, audio_lengths
// and vision_lengths are there although the files are aligned, and both agree with the steps that are not zero on every row,
// as does text. text_bert's mask does not: it counts word pieces and the two marks around them, where text counts words (the
// mask is 2 more than the length on 148 of 229 rows, and larger still on the others). Hence:
//
//   - A length that is stated holds. What lies beyond it is dropped, unless that is where the sequence is: if the steps before
//     the last length steps are all zero, and there are values beyond the first length steps, the padding is at the front.
//   - Without a stated length, zero steps are taken off the end, or off the front if there are more of them.
//     Steps of zeros at the other end, and within a sequence, are data: a word without a vector, a frame without a face.
//   - Aligned modalities share their steps, so that none may be cut alone: those without a stated length get the steps from
//     the first that any of the three fills to the last. Modalities are aligned where all three have the same number of steps
//     and no lengths are stated for audio and vision, or equal ones of which not all are the full number.
//   - If text has as many steps as text_bert, no length is stated and no row of a split is padded with zeros, then text is
//     padded with something else, as BERT's output is, and its length is that of the mask.
//
// A sequence with its padding at the front moves to the front. NaN and infinities count as 0, as in MMSA for NaN anywhere and
// -inf in audio; the card counts them.
package mmsa

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/mmsa/pickle"
)

// Options of an import.
type Options struct {
	Limit float32 // labels must lie in [-Limit, Limit]; 0 stands for 3, MOSI's and MOSEI's. SIMS has 1.
}

// Import reads the file at path and writes the data set's folder dir, which must not exist. Errors name the file, the split,
// the key, the row and the remedy, and leave nothing behind.
func Import(path, dir string, options Options) (data.Card, error) {
	if options.Limit == 0 {
		options.Limit = 3
	}
	f, err := Open(path)
	if err != nil {
		return data.Card{}, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	if err := f.checkLabels(float64(options.Limit)); err != nil {
		return data.Card{}, err
	}
	read, err := data.HashFile(path)
	if err != nil {
		return data.Card{}, fmt.Errorf("mmsa: %w", err)
	}
	w, err := data.Create(dir, data.Source{
		Format: "mmsa", Files: []data.File{read}, Note: f.note(), Width: f.Width, Tokens: f.Tokens, Limit: options.Limit,
	})
	if err != nil {
		return data.Card{}, err
	}
	defer w.Abort()
	for _, s := range f.Splits {
		if err := s.each(func(e data.Example) error { return w.Add(s.Name, e) }); err != nil {
			return data.Card{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	return w.Close()
}

// each reads a split's examples in order. Values are valid until the next.
func (s *Split) each(do func(data.Example) error) error {
	r, err := s.open()
	if err != nil {
		return err
	}
	for row := range s.IDs {
		example, err := r.next(row)
		if err != nil {
			return err
		}
		if err := do(example); err != nil {
			return err
		}
	}
	return r.end()
}

// reader reads all arrays of a split side by side.
type reader struct {
	*Split
	features [3]column
	bert     column // [3, L] per row; without rows where there is no text_bert
	values   [3][]float32
}

// column is an array and its current row.
type column struct {
	rows *pickle.Rows
	row  []float64
}

func openColumn(a *pickle.Array) (c column, err error) {
	c.row = make([]float64, a.Shape[1]*a.Shape[2])
	c.rows, err = a.Rows()
	return c, err
}

func (s *Split) open() (r *reader, err error) {
	r = &reader{Split: s}
	for m, a := range s.Features {
		if r.features[m], err = openColumn(a); err != nil {
			return nil, s.at(data.Modality(m).String(), err)
		}
		r.values[m] = make([]float32, len(r.features[m].row))
	}
	if s.TextBERT == nil {
		return r, nil
	}
	if r.bert, err = openColumn(s.TextBERT); err != nil {
		return nil, s.at("text_bert", err)
	}
	return r, nil
}

func (r *reader) next(row int) (e data.Example, err error) {
	e.Info = r.info(row)
	if r.TextBERT != nil {
		if e.Tokens, err = r.tokens(row); err != nil {
			return e, r.at("text_bert", err)
		}
	}
	for m, c := range r.features {
		if err := c.rows.Next(c.row); err != nil {
			return e, r.at(data.Modality(m).String(), fmt.Errorf("row %d: %w", row, err))
		}
	}
	for m, x := range r.extents(row, len(e.Tokens)) {
		width := r.width(data.Modality(m))
		values := r.values[m][:0]
		for _, v := range r.features[m].row[x.from*width : x.to*width] {
			values = append(values, float32(v))
		}
		e.Values[m], e.Info.Lengths[m] = values, x.to-x.from
	}
	return e, nil
}

func (s *Split) info(row int) data.Info {
	info := data.Info{ID: s.IDs[row], Words: s.Words[row], Label: float32(s.Labels[row])}
	for m, labels := range s.Unimodal {
		info.Unimodal[m] = float32(math.NaN())
		if labels != nil {
			info.Unimodal[m] = float32(labels[row])
		}
	}
	return info
}

// tokens reads the word-piece ids of one row.
func (r *reader) tokens(row int) ([]int32, error) {
	if err := r.bert.rows.Next(r.bert.row); err != nil {
		return nil, fmt.Errorf("row %d: %w", row, err)
	}
	steps := len(r.bert.row) / 3
	ids, mask := r.bert.row[:steps], r.bert.row[steps:2*steps]
	var tokens []int32
	for i, id := range ids {
		if mask[i] != 0 && mask[i] != 1 {
			return nil, fmt.Errorf("row %d: the mask is %v at step %d; it must be 0 or 1: save ids, mask and segments in this order", row, mask[i], i)
		}
		if mask[i] == 0 {
			continue
		}
		if id != math.Trunc(id) || id < 0 || id > math.MaxInt32 {
			return nil, fmt.Errorf("row %d: id %v at step %d is no word piece; save whole numbers", row, id, i)
		}
		tokens = append(tokens, int32(id))
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("row %d: the mask is 0 everywhere; tokenise the sentence, or drop the example", row)
	}
	return tokens, nil
}

// end makes sure that the arrays hold no more than was read.
func (r *reader) end() error {
	for m, c := range r.features {
		if err := c.rows.Next(c.row); !errors.Is(err, io.EOF) {
			return r.at(data.Modality(m).String(), err)
		}
	}
	if r.TextBERT != nil {
		if err := r.bert.rows.Next(r.bert.row); !errors.Is(err, io.EOF) {
			return r.at("text_bert", err)
		}
	}
	return nil
}
