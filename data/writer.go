package data

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/mmiln/workbench/data/npy"
)

// Example is one utterance on its way into a data set.
type Example struct {
	Info   Info         // Tokens may be left out
	Values [3][]float32 // [Lengths[m], Width[m]] each, row major
	Tokens []int32      // word-piece ids, if the source declares them
}

// Writer makes the folder of a data set one example at a time. Nothing stands under its final name before Close. Not safe for
// concurrent use.
type Writer struct {
	dir, partial string
	source       Source
	check        checker
	indexFile    *os.File
	index        *csv.Writer
	splits       map[SplitName]*splitWriter
	exclusions   []Exclusion
	closed       bool
}

// splitWriter holds the arrays of one split and what its card is made from.
type splitWriter struct {
	arrays    [tokens + 1]*npy.Stream // see layouts; nil where there is none
	lengths   [tokens + 1][]int
	labels    []float32
	empty     [3]int
	nonFinite [3]int
}

// Create begins a data set. Folders above dir are made; dir itself must not exist. Call Close at the end, or Abort.
func Create(dir string, source Source) (*Writer, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	if source.Limit == 0 {
		source.Limit = 3
	}
	if err := source.validate(); err != nil {
		return nil, fmt.Errorf("data: %s: %w", dir, err)
	}
	if err := refuse(dir); err != nil {
		return nil, err
	}
	w := &Writer{
		dir: dir, partial: fmt.Sprintf("%s.partial-%08x", dir, rand.Uint32()), source: source,
		check: newChecker(source), splits: map[SplitName]*splitWriter{},
	}
	if err := w.create(); err != nil {
		w.Abort()
		return nil, fmt.Errorf("data: cannot write %s: %w", dir, err)
	}
	return w, nil
}

func (s Source) validate() error {
	for _, m := range Modalities {
		if s.Width[m] < 0 {
			return fmt.Errorf("width of %s is %d; use 0 where the modality is absent", m, s.Width[m])
		}
	}
	if !(s.Limit > 0) || math.IsInf(float64(s.Limit), 0) {
		return fmt.Errorf("limit of labels is %v; use a positive number", s.Limit)
	}
	return nil
}

func refuse(dir string) error {
	switch _, err := os.Lstat(dir); {
	case err == nil:
		return fmt.Errorf("data: %s exists; choose another folder, or remove it first (--force)", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("data: cannot write %s: %w", dir, err)
	}
	return nil
}

func (w *Writer) create() (err error) {
	if err = os.MkdirAll(filepath.Dir(w.dir), 0o777); err != nil {
		return err
	}
	if err = os.Mkdir(w.partial, 0o777); err != nil {
		return err
	}
	if w.indexFile, err = os.Create(filepath.Join(w.partial, indexFile)); err != nil {
		return err
	}
	w.index = csv.NewWriter(w.indexFile)
	if err = w.index.Write(columns); err != nil {
		return err
	}
	for _, name := range Splits {
		w.splits[name] = &splitWriter{}
		if err = w.splits[name].create(w.partial, name, w.source); err != nil {
			return err
		}
	}
	return nil
}

func (s *splitWriter) create(dir string, name SplitName, source Source) (err error) {
	for i, array := range source.layouts(name) {
		if array.file == "" {
			continue
		}
		if s.arrays[i], err = npy.Create(filepath.Join(dir, array.file), array.elements, array.row...); err != nil {
			return err
		}
	}
	return nil
}

// Add appends an example to a split. An example that breaks a rule is an error that names it and the remedy; nothing of it is
// written, and one may go on without it, see [Writer.Exclude]. Values that are not finite become 0. A modality without a step
// gets one of zeros. The card counts both.
func (w *Writer) Add(split SplitName, e Example) error {
	if w.closed {
		return fmt.Errorf("data: %s is closed; add examples before", w.dir)
	}
	if err := w.check.example(split, &e); err != nil {
		return fmt.Errorf("data: example %q of %s: %w", e.Info.ID, split, err)
	}
	if err := w.add(split, e); err != nil {
		return fmt.Errorf("data: cannot write %s: %w", w.dir, err)
	}
	return nil
}

func (w *Writer) add(name SplitName, e Example) error {
	s := w.splits[name]
	for m, width := range w.source.Width {
		if width == 0 {
			continue
		}
		values, count := finite(e.Values[m])
		if len(values) == 0 {
			values, e.Info.Lengths[m] = make([]float32, width), 1
			s.empty[m]++
		}
		s.nonFinite[m] += count
		if err := s.arrays[m].Floats(values); err != nil {
			return err
		}
	}
	if w.source.Tokens {
		if err := s.arrays[tokens].Ints(e.Tokens); err != nil {
			return err
		}
	}
	e.Info.Tokens = len(e.Tokens)
	e.Info.Words = strings.Join(strings.Fields(strings.ToValidUTF8(e.Info.Words, "�")), " ")
	for i, n := range e.Info.steps() {
		s.lengths[i] = append(s.lengths[i], n)
	}
	s.labels = append(s.labels, e.Info.Label)
	return w.index.Write(record(name, len(s.labels)-1, e.Info))
}

// finite returns values, or a copy in which those that are not finite are 0, and how many those are.
func finite(values []float32) (clean []float32, count int) {
	clean = values
	for i, v := range values {
		if v-v == 0 { // neither NaN nor ±Inf
			continue
		}
		if count == 0 {
			clean = append([]float32(nil), values...)
		}
		clean[i] = 0
		count++
	}
	return clean, count
}

// Exclude notes in the card that an example of the source is left out. split may be empty where it is not known.
func (w *Writer) Exclude(split SplitName, id, reason string) {
	w.exclusions = append(w.exclusions, Exclusion{split, id, reason})
}

// Close brings everything to disk and gives the folder its name. If it fails, nothing is left behind.
func (w *Writer) Close() (Card, error) {
	if w.closed {
		return Card{}, fmt.Errorf("data: %s is closed already", w.dir)
	}
	defer w.Abort()
	for _, name := range Splits {
		if len(w.splits[name].labels) == 0 {
			return Card{}, fmt.Errorf("data: %s: split %s has no examples; every split needs at least one", w.dir, name)
		}
	}
	card, err := w.finish()
	if err != nil {
		return Card{}, fmt.Errorf("data: cannot write %s: %w", w.dir, err)
	}
	if err := refuse(w.dir); err != nil {
		return Card{}, err
	}
	if err := os.Rename(w.partial, w.dir); err != nil {
		return Card{}, fmt.Errorf("data: cannot write %s: %w", w.dir, err)
	}
	w.closed = true
	syncDir(filepath.Dir(w.dir))
	return card, nil
}

// finish writes everything under the partial name.
func (w *Writer) finish() (Card, error) {
	card := Card{
		Name: filepath.Base(w.dir), Version: Version, Source: w.source, Exclusions: w.exclusions,
		Splits: map[SplitName]SplitCard{}, Files: map[string]string{},
	}
	w.index.Flush()
	if err := errors.Join(w.index.Error(), w.indexFile.Sync(), w.indexFile.Close()); err != nil {
		return card, err
	}
	for _, name := range Splits {
		for _, array := range w.splits[name].arrays {
			if array == nil {
				continue
			}
			if err := array.Close(); err != nil {
				return card, err
			}
		}
		card.Splits[name] = w.splits[name].card(w.source.Width)
	}
	for _, name := range card.files() {
		file, err := HashFile(filepath.Join(w.partial, name))
		if err != nil {
			return card, err
		}
		card.Files[name] = file.SHA256
	}
	err := writeCard(filepath.Join(w.partial, cardFile), card)
	syncDir(w.partial)
	return card, err
}

func (s *splitWriter) card(width [3]int) SplitCard {
	c := SplitCard{Examples: len(s.labels), Labels: labelCard(s.labels), Tokens: lengthCard(s.lengths[tokens])}
	for _, m := range Modalities {
		c.Modalities[m] = ModalityCard{
			Modality: m.String(), Width: width[m], Lengths: lengthCard(s.lengths[m]), Empty: s.empty[m], NonFinite: s.nonFinite[m],
		}
	}
	return c
}

func writeCard(path string, card Card) error {
	encoded, err := json.MarshalIndent(card, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(append(encoded, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}

// syncDir makes renames within dir last. Not every file system can, and those that cannot need not.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// Abort removes what was written. After Close it does nothing, so that it can be deferred.
func (w *Writer) Abort() {
	if w.closed {
		return
	}
	w.closed = true
	if w.indexFile != nil {
		_ = w.indexFile.Close()
	}
	for _, s := range w.splits {
		for _, array := range s.arrays {
			if array != nil {
				array.Abandon()
			}
		}
	}
	_ = os.RemoveAll(w.partial)
}
