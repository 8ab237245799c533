package data

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// checker holds what all examples of a set must agree on.
type checker struct {
	Source
	seen map[string]SplitName
}

func newChecker(s Source) checker { return checker{s, map[string]SplitName{}} }

// example checks values first, so that an id counts as seen only when all is well.
func (c *checker) example(split SplitName, e *Example) error {
	for _, m := range Modalities {
		if err := c.values(e, m); err != nil {
			return err
		}
	}
	if (len(e.Tokens) > 0) != c.Tokens {
		return fmt.Errorf("it has %d token ids; give every example some and declare them in the source, or none", len(e.Tokens))
	}
	return c.info(split, e.Info)
}

// info checks what the index holds of an example, and that its id is new. Messages name the field and the remedy; the caller
// adds the place.
func (c *checker) info(split SplitName, e Info) error {
	if err := c.id(split, e.ID); err != nil {
		return err
	}
	if err := c.label("label", e.Label); err != nil {
		return err
	}
	for m, label := range e.Unimodal {
		if math.IsNaN(float64(label)) {
			continue
		}
		if err := c.label("label_"+Modality(m).String(), label); err != nil {
			return err
		}
	}
	c.seen[e.ID] = split
	return nil
}

func (c *checker) id(split SplitName, id string) error {
	if !slices.Contains(Splits[:], split) {
		return fmt.Errorf("split is %q; it must be train, valid or test", split)
	}
	if strings.TrimSpace(id) == "" {
		return fmt.Errorf("id is empty; give every example an id of its own")
	}
	if !utf8.ValidString(id) || strings.ContainsFunc(id, unicode.IsControl) {
		return fmt.Errorf("id %q has control characters or is not UTF-8; rename it", id)
	}
	switch other, known := c.seen[id]; {
	case known && other == split:
		return fmt.Errorf("id %q comes twice in %s; drop or rename one of them", id, split)
	case known:
		return fmt.Errorf("id %q is in %s and in %s; leave it in one split only, or the model is tested on what it has seen", id, other, split)
	}
	return nil
}

func (c *checker) label(field string, label float32) error {
	if !(label >= -c.Limit && label <= c.Limit) {
		return fmt.Errorf("%s is %v and must lie in [-%[3]v, %[3]v]; correct or exclude it, or state another limit", field, label, c.Limit)
	}
	return nil
}

// values checks the shape of one modality against the length that the example states.
func (c *checker) values(e *Example, m Modality) error {
	n, length, width := len(e.Values[m]), e.Info.Lengths[m], c.Width[m]
	switch {
	case width == 0 && (n > 0 || length > 0):
		return fmt.Errorf("%s has %d values in %d steps and the source declares no %[1]s; declare its width or leave it out", m, n, length)
	case width > 0 && n%width != 0:
		return fmt.Errorf("%s has %d values, which are not whole steps of %d features; its width must not change", m, n, width)
	case width > 0 && n/width != length:
		return fmt.Errorf("%s has %d steps of %d features and states a length of %d; make them agree", m, n/width, width, length)
	}
	return nil
}
