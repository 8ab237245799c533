// Package table imports a data set from a CSV file, one utterance per line, and NumPy arrays with the features of those lines.
package table

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/npy"
)

// Options say which columns of the CSV file to read. The zero value reads "id", "label", "split" and "text", and no unimodal
// labels.
type Options struct {
	ID, Label, Split, Words string
	Unimodal                [3]string // columns of unimodal labels, indexed by [data.Modality]; none where empty
	Limit                   float32   // labels lie in [-Limit, Limit]; 0 stands for 3
}

// Import writes the data set of a CSV file and its arrays to dir, which must not exist. Line i of the CSV file, not counting
// its header, is row i of every array. Arrays are indexed by [data.Modality]; the modality of an empty path is absent. Of shape
// [N, width] they hold one step per utterance, of shape [N, steps, width] sequences, whose length ends with the last step that
// is not all zeros. Lines whose split is empty are left out, which the card notes.
func Import(csvPath string, arrayPaths [3]string, dir string, o Options) (data.Card, error) {
	source := data.Source{Format: "table", Limit: o.Limit, Note: "One line per utterance, features in rows of arrays."}
	var features [3]*features
	for m, path := range arrayPaths {
		if path == "" {
			continue
		}
		var err error
		if features[m], err = openFeatures(path); err != nil {
			return data.Card{}, fmt.Errorf("table: %w", err)
		}
		source.Width[m] = features[m].width
	}
	if err := hash(&source, append([]string{csvPath}, arrayPaths[:]...)); err != nil {
		return data.Card{}, fmt.Errorf("table: %w", err)
	}
	w, err := data.Create(dir, source)
	if err != nil {
		return data.Card{}, err
	}
	defer w.Abort()
	r := reader{Options: o.withDefaults(), features: features, w: w}
	if err := r.read(csvPath); err != nil {
		return data.Card{}, fmt.Errorf("table: %w", err)
	}
	return w.Close()
}

func (o Options) withDefaults() Options {
	o.ID, o.Label = cmp.Or(o.ID, "id"), cmp.Or(o.Label, "label")
	o.Split, o.Words = cmp.Or(o.Split, "split"), cmp.Or(o.Words, "text")
	return o
}

func hash(source *data.Source, paths []string) error {
	for _, path := range paths {
		if path == "" {
			continue
		}
		file, err := data.HashFile(path)
		if err != nil {
			return err
		}
		source.Files = append(source.Files, file)
	}
	return nil
}

// reader reads lines and adds them to a data set.
type reader struct {
	Options
	features [3]*features
	w        *data.Writer
	at       map[string]int // columns
}

func (r *reader) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	records := csv.NewReader(f)
	header, err := records.Read()
	if err != nil {
		return fmt.Errorf("%s: it has no header: %w; name the columns in its first line", path, err)
	}
	if err := r.locate(header); err != nil {
		return fmt.Errorf("%s:1: %w", path, err)
	}
	row := 0
	for ; ; row++ {
		fields, err := records.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return fmt.Errorf("%s: %w; quote fields that contain commas", path, err)
		}
		if err := r.add(fields, row); err != nil {
			line, _ := records.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
	}
	for _, from := range r.features {
		if from != nil && from.Shape[0] != row {
			return fmt.Errorf("%s has %d lines and %s has %d rows; give them one row per line", path, row, from.path, from.Shape[0])
		}
	}
	return nil
}

func (r *reader) locate(header []string) error {
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // Excel's mark of UTF-8
	r.at = map[string]int{}
	for _, column := range slices.Concat([]string{r.ID, r.Label, r.Split, r.Words}, r.Unimodal[:]) {
		if r.at[column] = slices.Index(header, column); r.at[column] < 0 && column != "" {
			return fmt.Errorf("there is no column %q among %.200q; name the right one in the options", column, header)
		}
	}
	return nil
}

func (r *reader) add(fields []string, row int) (err error) {
	e := data.Example{Info: data.Info{ID: fields[r.at[r.ID]], Words: fields[r.at[r.Words]]}}
	split, known := splits[fields[r.at[r.Split]]]
	if !known {
		return fmt.Errorf("%s is %.40q; use train, valid or test, or leave it empty", r.Split, fields[r.at[r.Split]])
	}
	if split == "" {
		r.w.Exclude("", e.Info.ID, "its split is empty")
		return nil
	}
	if e.Info.Label, err = number(r.Label, fields[r.at[r.Label]]); err != nil {
		return err
	}
	for m, column := range r.Unimodal {
		e.Info.Unimodal[m] = float32(math.NaN())
		if column != "" && fields[r.at[column]] != "" {
			if e.Info.Unimodal[m], err = number(column, fields[r.at[column]]); err != nil {
				return err
			}
		}
	}
	for m, from := range r.features {
		if from == nil {
			continue
		}
		if e.Values[m], err = from.row(row); err != nil {
			return err
		}
		e.Info.Lengths[m] = len(e.Values[m]) / from.width
	}
	return r.w.Add(split, e)
}

// splits by their usual names.
var splits = map[string]data.SplitName{
	"": "", "train": data.Train, "valid": data.Valid, "val": data.Valid, "dev": data.Valid, "test": data.Test,
}

func number(column, field string) (float32, error) {
	v, err := strconv.ParseFloat(field, 32)
	if err != nil {
		return 0, fmt.Errorf("%s is %.40q, which is not a number; correct it, or leave the split empty", column, field)
	}
	return float32(v), nil
}

// features is an array of [N, steps, width].
type features struct {
	*npy.Array
	path         string
	steps, width int
}

func openFeatures(path string) (*features, error) {
	array, err := npy.Open(path)
	if err != nil {
		return nil, err
	}
	if array.Type != npy.Float32 && array.Type != npy.Float64 {
		return nil, fmt.Errorf("%s: its elements are %s; save array.astype(%q) instead", path, array.Type, npy.Float32)
	}
	f := &features{Array: array, path: path, steps: 1}
	switch shape := array.Shape; len(shape) {
	case 2:
		f.width = shape[1]
	case 3:
		f.steps, f.width = shape[1], shape[2]
	}
	if array.Len() == 0 || f.width == 0 {
		return nil, fmt.Errorf("%s: its shape is %v; save an array of [N, width] or [N, steps, width]", path, array.Shape)
	}
	return f, nil
}

// row returns the steps of one row up to the last that is not all zeros. A row without any has no step.
func (f *features) row(i int) ([]float32, error) {
	if i >= f.Shape[0] {
		return nil, fmt.Errorf("%s has only %d rows; give it one row per line", f.path, f.Shape[0])
	}
	values := make([]float32, f.steps*f.width)
	f.Floats(values, i*len(values))
	end := len(values)
	for end > 0 && values[end-1] == 0 {
		end--
	}
	return values[:(end+f.width-1)/f.width*f.width], nil
}
