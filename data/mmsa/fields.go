package mmsa

import (
	"fmt"
	"math"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/mmsa/pickle"
)

// fields reads a split from its dict.
type fields struct {
	*Split
	dict  *pickle.Dict
	known []string // keys that were asked for
}

func (s *fields) read() (err error) {
	s.known = append(s.known, impliedKeys...)
	if s.IDs, err = s.strings("id"); err != nil {
		return err
	}
	if len(s.IDs) == 0 {
		return s.at("id", fmt.Errorf("it is empty; every split needs an example"))
	}
	if s.Words, err = s.strings("raw_text"); err != nil {
		return err
	}
	if s.Labels, err = s.numbers("regression_labels"); err != nil {
		return err
	}
	for _, m := range data.Modalities {
		if err := s.modality(m); err != nil {
			return err
		}
	}
	if s.has("text_bert") {
		s.TextBERT, err = s.array("text_bert")
		if err == nil && s.TextBERT.Shape[1] != 3 {
			err = s.at("text_bert", fmt.Errorf("it is %s; save ids, mask and segments as [%d, 3, L]", pickle.Kind(s.TextBERT), len(s.IDs)))
		}
	}
	if err != nil {
		return err
	}
	s.Aligned = s.aligned()
	s.Filled, err = s.filled()
	return err
}

func (s *fields) modality(m data.Modality) (err error) {
	if s.Features[m], err = s.array(m.String()); err != nil {
		return err
	}
	if s.has(unimodalKeys[m]) {
		if s.Unimodal[m], err = s.numbers(unimodalKeys[m]); err != nil {
			return err
		}
	}
	if key := m.String() + "_lengths"; s.has(key) {
		s.Lengths[m], err = s.lengths(key, s.steps(m))
	}
	return err
}

func (s *fields) has(key string) bool {
	_, ok := s.dict.Get(key)
	return ok
}

func (s *fields) value(key string) (any, error) {
	s.known = append(s.known, key)
	v, ok := s.dict.Get(key)
	if !ok {
		return nil, s.at(key, fmt.Errorf("the key is missing; add it to the file as MMSA's feature files have it"))
	}
	return v, nil
}

func (s *fields) strings(key string) ([]string, error) {
	v, err := s.value(key)
	if err != nil {
		return nil, err
	}
	all, err := pickle.Strings(v)
	if err != nil {
		return nil, s.at(key, fmt.Errorf("%w; save a list or an array of strings", err))
	}
	return all, s.count(key, len(all))
}

func (s *fields) numbers(key string) ([]float64, error) {
	v, err := s.value(key)
	if err != nil {
		return nil, err
	}
	all, err := pickle.Numbers(v)
	if err != nil {
		return nil, s.at(key, fmt.Errorf("%w; save a list or an array of numbers", err))
	}
	return all, s.count(key, len(all))
}

func (s *fields) lengths(key string, steps int) ([]int, error) {
	numbers, err := s.numbers(key)
	if err != nil {
		return nil, err
	}
	lengths := make([]int, len(numbers))
	for row, n := range numbers {
		if n != math.Trunc(n) || n < 0 || n > float64(steps) {
			return nil, s.at(key, fmt.Errorf("row %d (%s): length %v is not from 0 to the array's %d steps; correct it, or remove the key to find lengths by padding",
				row, s.IDs[row], n, steps))
		}
		lengths[row] = int(n)
	}
	return lengths, nil
}

// array is of numbers and [N, L, d].
func (s *fields) array(key string) (*pickle.Array, error) {
	v, err := s.value(key)
	if err != nil {
		return nil, err
	}
	a, ok := v.(*pickle.Array)
	if !ok || len(a.Shape) != 3 || a.Shape[1] < 1 || a.Shape[2] < 1 {
		return nil, s.at(key, fmt.Errorf("it is %s; save one array of numbers [examples, steps, features]", pickle.Kind(v)))
	}
	if _, err := a.Rows(); err != nil {
		return nil, s.at(key, fmt.Errorf("%w; save an array of float32", err))
	}
	return a, s.count(key, a.Shape[0])
}

// count compares with the number of ids.
func (s *fields) count(key string, n int) error {
	if s.IDs != nil && n != len(s.IDs) {
		return s.at(key, fmt.Errorf("it has %d rows where \"id\" has %d; save one for each example", n, len(s.IDs)))
	}
	return nil
}
