package data

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/mmiln/workbench/data/npy"
)

// Development is what training, tuning, early stopping and normalisation may see of a data set.
type Development struct {
	Train, Valid *Split
	schema       Schema
	card         Card
}

// Schema describes the arrays.
func (d *Development) Schema() Schema { return d.schema }

// Card describes the whole set. Of the test split it holds what any description of a data set states: counts and distributions.
func (d *Development) Card() Card { return d.card }

// Open opens the folder of a data set. It compares the index with the card and with the sizes of all arrays; of the test
// split's arrays no byte is read. Errors name the file, the place and the remedy. To compare every byte, see [Verify].
func Open(dir string) (*Development, *Sealed, error) {
	d, sealed, err := open(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("data: %s: %w", dir, err)
	}
	return d, sealed, nil
}

func open(dir string) (*Development, *Sealed, error) {
	card, err := readCard(dir)
	if err != nil {
		return nil, nil, err
	}
	all, err := readIndex(dir, card)
	if err != nil {
		return nil, nil, err
	}
	train, err := openSplit(dir, card.Source, Train, all[Train])
	if err != nil {
		return nil, nil, err
	}
	valid, err := openSplit(dir, card.Source, Valid, all[Valid])
	if err != nil {
		return nil, nil, err
	}
	sealed := &Sealed{dir: dir, card: card, infos: all[Test]}
	return &Development{&Split{train}, &Split{valid}, all.schema(card.Source), card}, sealed, sealed.checkSizes()
}

// readCard reads and checks what later steps rely on.
func readCard(dir string) (c Card, err error) {
	content, err := readBounded(filepath.Join(dir, cardFile))
	if err != nil {
		return c, fmt.Errorf("it is not the folder of a data set: %w; import one with mmiln data import", err)
	}
	if err := json.Unmarshal(content, &c); err != nil {
		return c, fmt.Errorf("%s: %w; import the data again", cardFile, err)
	}
	if c.Version != Version {
		return c, fmt.Errorf("%s: format_version is %d and this program reads %d; import the data again", cardFile, c.Version, Version)
	}
	if err := c.Source.validate(); err != nil {
		return c, fmt.Errorf("%s: source: %w", cardFile, err)
	}
	for _, name := range c.files() {
		if c.Files[name] == "" {
			return c, fmt.Errorf("%s: sha256 has no %q; import the data again", cardFile, name)
		}
	}
	return c, nil
}

// readIndex reads the index and compares it with the card.
func readIndex(dir string, card Card) (index, error) {
	content, err := readBounded(filepath.Join(dir, indexFile))
	if err != nil {
		return nil, err
	}
	all, err := parseIndex(bytes.NewReader(content), card.Source)
	if err != nil {
		return nil, err
	}
	for _, split := range Splits {
		if n := card.Splits[split].Examples; n != len(all[split]) || n == 0 {
			return nil, fmt.Errorf("%s has %d examples in %s and %s says %d; import the data again", indexFile, len(all[split]), split, cardFile, n)
		}
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != card.Files[indexFile] {
		return nil, fmt.Errorf("%s was changed after %s was written; import the data again", indexFile, cardFile)
	}
	return all, nil
}

// readBounded refuses what no index or card can be.
func readBounded(path string) ([]byte, error) {
	const limit = 1 << 28
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if stat, err := f.Stat(); err != nil || stat.Size() > limit {
		return nil, fmt.Errorf("%s is larger than %d MiB, or unreadable", path, limit>>20)
	}
	return io.ReadAll(io.LimitReader(f, limit))
}

func (x index) schema(source Source) Schema {
	s := Schema{Width: source.Width}
	for split, infos := range x {
		for _, e := range infos {
			s.Tokens = max(s.Tokens, e.Tokens)
			for m := range e.Lengths {
				s.Length[m] = max(s.Length[m], e.Lengths[m])
				s.Unimodal[m] = s.Unimodal[m] || split != Test && !math.IsNaN(float64(e.Unimodal[m]))
			}
		}
	}
	return s
}

func openSplit(dir string, source Source, name SplitName, infos []Info) (s split, err error) {
	s.infos = infos
	for i, array := range source.layouts(name) {
		if array.file == "" {
			continue
		}
		if s.arrays[i], err = openRagged(filepath.Join(dir, array.file), array, infos, i); err != nil {
			return s, err
		}
	}
	return s, nil
}

// openRagged maps array number i and finds where its examples begin.
func openRagged(path string, want layout, infos []Info, i int) (r ragged, err error) {
	if r.array, err = npy.Open(path); err != nil {
		return r, fmt.Errorf("%w; import the data again", err)
	}
	total := 0
	for _, e := range infos {
		r.begin = append(r.begin, total)
		total += e.steps()[i]
	}
	shape := append([]int{total}, want.row...)
	if r.array.Type != want.elements || !slices.Equal(r.array.Shape, shape) {
		return r, fmt.Errorf("%s holds %s %v and must hold %s %v to fit %s and %s; import the data again",
			path, r.array.Type, r.array.Shape, want.elements, shape, indexFile, cardFile)
	}
	return r, nil
}

// Verify reads every byte of a data set and returns an error that names the first file that differs from what was imported.
func Verify(dir string) error {
	card, err := readCard(dir)
	if err != nil {
		return fmt.Errorf("data: %s: %w", dir, err)
	}
	for _, name := range card.files() {
		file, err := HashFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("data: %s: %w; import the data again", dir, err)
		}
		if file.SHA256 != card.Files[name] {
			return fmt.Errorf("data: %s has SHA-256 %.12s… and %s says %.12s…; import the data again", file.Path, file.SHA256, cardFile, card.Files[name])
		}
	}
	return nil
}
