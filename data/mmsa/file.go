package mmsa

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/mmsa/pickle"
)

// File is an opened feature file. All but features and token ids is read and checked.
type File struct {
	Path    string
	Splits  [3]*Split // in the order of [data.Splits]
	Width   [3]int    // features per step, by [data.Modality]
	Tokens  bool      // text_bert is there
	Ignored []string  // splits and keys that are not read, as `train["speaker"]`
	pickled *pickle.File
}

// Split is one of train, valid and test.
type Split struct {
	Name       data.SplitName
	IDs, Words []string // [N]
	Labels     []float64
	Unimodal   [3][]float64     // [N] each; nil where absent
	Lengths    [3][]int         // [N] stated true lengths each; nil where absent
	Features   [3]*pickle.Array // [N, L, d] each
	TextBERT   *pickle.Array    // [N, 3, L]; nil where absent
	Aligned    bool             // step i of all three modalities is the same word
	Filled     bool             // text is padded with other than zeros, so that its lengths are those of text_bert's mask
}

// keys that are read, and those that say less than the regression label does.
var (
	unimodalKeys = [3]string{"regression_labels_T", "regression_labels_A", "regression_labels_V"}
	impliedKeys  = []string{"classification_labels", "annotations"}
)

// Open reads what a file holds, except for its features. Errors name the file, the split, the key, the row and the remedy.
func Open(path string) (*File, error) {
	pickled, err := pickle.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{Path: path, pickled: pickled}
	if err := f.read(); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), pickled.Close())
	}
	return f, nil
}

// Close ends the use of the file's arrays.
func (f *File) Close() error { return f.pickled.Close() }

func (f *File) read() error {
	root, ok := f.pickled.Root.(*pickle.Dict)
	if !ok {
		return fmt.Errorf("it holds %s, not the dict {train, valid, test} of MMSA; save it as such", pickle.Kind(f.pickled.Root))
	}
	for i, name := range data.Splits {
		held, ok := root.Get(string(name))
		if !ok {
			return fmt.Errorf("split %q is missing; MMSA's files have train, valid and test", name)
		}
		dict, ok := held.(*pickle.Dict)
		if !ok {
			return fmt.Errorf("split %q is %s, not a dict; save it as MMSA does", name, pickle.Kind(held))
		}
		s := &fields{dict: dict, Split: &Split{Name: name}}
		if err := s.read(); err != nil {
			return err
		}
		f.Splits[i] = s.Split
		f.ignore(string(name)+"[%q]", dict, s.known)
	}
	f.ignore("split %q", root, []string{"train", "valid", "test"})
	return f.agree()
}

func (f *File) ignore(format string, dict *pickle.Dict, known []string) {
	for _, key := range dict.Keys {
		name, ok := key.(string)
		if !ok {
			name = pickle.Kind(key)
		}
		if !slices.Contains(known, name) {
			f.Ignored = append(f.Ignored, fmt.Sprintf(format, name))
		}
	}
}

// agree checks what the splits must have in common.
func (f *File) agree() error {
	seen := map[string]string{}
	train := f.Splits[0]
	f.Tokens = train.TextBERT != nil
	for m := range f.Width {
		f.Width[m] = train.width(data.Modality(m))
	}
	for _, s := range f.Splits {
		for m, width := range f.Width {
			if s.width(data.Modality(m)) != width {
				return s.at(data.Modality(m).String(), fmt.Errorf("a step has %d features where train has %d; use the same extractor for all splits", s.width(data.Modality(m)), width))
			}
		}
		if (s.TextBERT != nil) != f.Tokens {
			return s.at("text_bert", fmt.Errorf("either all splits have it or none; add it, or remove it everywhere"))
		}
		for row, id := range s.IDs {
			place := fmt.Sprintf("row %d of %s", row, s.Name)
			if other, ok := seen[id]; ok {
				return s.at("id", fmt.Errorf("row %d: %q is also %s; drop one of them, or the model is tested on what it has seen", row, id, other))
			}
			seen[id] = place
		}
	}
	return nil
}

// checkLabels refuses what cannot be a label.
func (f *File) checkLabels(limit float64) error {
	for _, s := range f.Splits {
		keys := append([]string{"regression_labels"}, unimodalKeys[:]...)
		for i, labels := range append([][]float64{s.Labels}, s.Unimodal[:]...) {
			row := slices.IndexFunc(labels, func(label float64) bool { return !(math.Abs(label) <= limit) })
			if row >= 0 {
				return fmt.Errorf("%s: %w", f.Path, s.at(keys[i], fmt.Errorf("row %d (%s): label %v is not within ±%v; correct it, drop the example, or state another limit",
					row, s.IDs[row], labels[row], limit)))
			}
		}
	}
	return nil
}

// note is what the card says of the file.
func (f *File) note() string {
	var notes []string
	for _, s := range f.Splits {
		if note := s.note(); !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	note := notes[0]
	if len(notes) > 1 {
		note = fmt.Sprintf("train: %s valid: %s test: %s", f.Splits[0].note(), f.Splits[1].note(), f.Splits[2].note())
	}
	if len(f.Ignored) > 0 {
		note += " Not read: " + strings.Join(f.Ignored, ", ") + "."
	}
	return note
}

func (s *Split) note() string {
	var from [3]string
	for m := range from {
		from[m] = "padding"
		if s.Lengths[m] != nil {
			from[m] = data.Modality(m).String() + "_lengths"
		}
	}
	if s.Filled {
		from[data.Text] = "text_bert's mask"
	}
	note := fmt.Sprintf("True lengths of text, audio and vision are from %s, %s and %s.", from[0], from[1], from[2])
	if s.Aligned {
		note += " The three are aligned step by step."
	}
	return note
}

func (s *Split) at(key string, err error) error { return fmt.Errorf("%s[%q]: %w", s.Name, key, err) }

func (s *Split) width(m data.Modality) int { return s.Features[m].Shape[2] }
func (s *Split) steps(m data.Modality) int { return s.Features[m].Shape[1] }
