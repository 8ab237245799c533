package data

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/mmiln/workbench/data/npy"
)

// Names of the files in a data set's folder.
const (
	cardFile  = "card.json"
	indexFile = "index.csv"
)

// layout is where and how one array is stored: sequences of rows, one after the other.
type layout struct {
	file     string
	elements string // their type, see package npy
	row      []int  // the shape of one step
}

// width is the number of elements in one step.
func (l layout) width() int64 {
	if len(l.row) == 0 {
		return 1
	}
	return int64(l.row[0])
}

// tokens is the array that follows those of the modalities.
const tokens = len(Modalities)

// layouts of a split's arrays: one per modality, and the token ids. An array that the source has not has no file.
func (s Source) layouts(split SplitName) (all [tokens + 1]layout) {
	for _, m := range Modalities {
		if s.Width[m] > 0 {
			all[m] = layout{string(split) + "." + m.String() + ".npy", npy.Float32, []int{s.Width[m]}}
		}
	}
	if s.Tokens {
		all[tokens] = layout{file: string(split) + ".tokens.npy", elements: npy.Int32}
	}
	return all
}

// steps of each array of layouts.
func (e Info) steps() [tokens + 1]int {
	return [...]int{e.Lengths[Text], e.Lengths[Audio], e.Lengths[Vision], e.Tokens}
}

// columns of the index, in the order of record.
var columns = []string{
	"split", "row", "id", "label", "label_text", "label_audio", "label_vision",
	"len_text", "len_audio", "len_vision", "len_tokens", "words",
}

// record is one row of the index. Labels are as short as they can be without losing a bit.
func record(split SplitName, row int, e Info) []string {
	fields := []string{string(split), strconv.Itoa(row), e.ID, formatLabel(e.Label)}
	for _, label := range e.Unimodal {
		fields = append(fields, formatLabel(label))
	}
	for _, n := range e.Lengths {
		fields = append(fields, strconv.Itoa(n))
	}
	return append(fields, strconv.Itoa(e.Tokens), e.Words)
}

// formatLabel leaves a field empty for an absent label.
func formatLabel(label float32) string {
	if math.IsNaN(float64(label)) {
		return ""
	}
	return strconv.FormatFloat(float64(label), 'g', -1, 32)
}

// index holds the examples of each split in the order of their arrays.
type index map[SplitName][]Info

// parseIndex reads an index and checks all that can be checked without the arrays.
func parseIndex(r io.Reader, source Source) (index, error) {
	records := csv.NewReader(r)
	records.ReuseRecord = true
	header, err := records.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: it has no header: %w; import the data again", indexFile, err)
	}
	at, err := locate(header)
	if err != nil {
		return nil, err
	}
	all, check := index{}, newChecker(source)
	for {
		fields, err := records.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w; import the data again", indexFile, err)
		}
		if err := all.add(func(column string) string { return fields[at[column]] }, &check); err != nil {
			line, _ := records.FieldPos(0)
			return nil, fmt.Errorf("%s:%d: %w", indexFile, line, err)
		}
	}
}

// locate finds every column; others may stand between them.
func locate(header []string) (map[string]int, error) {
	at := map[string]int{}
	for _, column := range columns {
		if at[column] = slices.Index(header, column); at[column] < 0 {
			return nil, fmt.Errorf("%s:1: column %q is missing; import the data again", indexFile, column)
		}
	}
	return at, nil
}

// add reads one record, the inverse of the function record.
func (x index) add(field func(column string) string, check *checker) (err error) {
	e := Info{ID: field("id"), Words: field("words")}
	if e.Label, err = parseLabel("label", field("label")); err != nil {
		return err
	}
	for m := range e.Unimodal {
		name := "label_" + Modality(m).String()
		if e.Unimodal[m], err = parseLabel(name, cmp.Or(field(name), "NaN")); err != nil {
			return err
		}
		name = "len_" + Modality(m).String()
		if e.Lengths[m], err = parseLength(name, field(name), check.Width[m] > 0); err != nil {
			return err
		}
	}
	if e.Tokens, err = parseLength("len_tokens", field("len_tokens"), check.Tokens); err != nil {
		return err
	}
	split := SplitName(field("split"))
	if err := check.info(split, e); err != nil {
		return err
	}
	if row := strconv.Itoa(len(x[split])); field("row") != row {
		return fmt.Errorf("row is %.40q, and the next of %s is %s; import the data again", field("row"), split, row)
	}
	x[split] = append(x[split], e)
	return nil
}

func parseLabel(name, field string) (float32, error) {
	label, err := strconv.ParseFloat(field, 32)
	if err != nil {
		return 0, fmt.Errorf("%s is %.40q, which is not a number; correct it or exclude the example", name, field)
	}
	return float32(label), nil
}

func parseLength(name, field string, present bool) (int, error) {
	n, err := strconv.ParseInt(field, 10, 32)
	switch {
	case err != nil || n < 0:
		return 0, fmt.Errorf("%s is %.40q, which is not a length; import the data again", name, field)
	case present != (n > 0):
		return 0, fmt.Errorf("%s is %d, which contradicts the widths in %s; import the data again", name, n, cardFile)
	}
	return int(n), nil
}
