package data

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/mmiln/workbench/data/npy"
)

// Sealed is a test split that nobody has looked at yet. It gives away nothing but [Sealed.Unseal].
type Sealed struct {
	dir   string
	card  Card
	infos []Info
}

// Opening is the record of a test split being opened.
type Opening struct {
	Dataset  string    `json:"dataset"`
	SHA256   string    `json:"sha256"` // see [Card.SHA256]
	Examples int       `json:"examples"`
	Reason   string    `json:"reason"`
	Time     time.Time `json:"time"`
}

// TestSplit is an opened test split. It implements [Examples], for prediction and evaluation, and cannot be converted to the
// *[Split] that everything else takes.
type TestSplit struct {
	split
	Opening Opening
}

var _ Examples = (*TestSplit)(nil)

// Unseal opens the test split once log has recorded why. If it has not, the seal stays.
func (s *Sealed) Unseal(reason string, log func(Opening) error) (*TestSplit, error) {
	if reason == "" || log == nil {
		return nil, fmt.Errorf("data: the test split of %s is sealed; give a reason and a log that records it", s.dir)
	}
	opening := Opening{s.card.Name, s.card.SHA256(), len(s.infos), reason, time.Now().UTC()}
	if err := log(opening); err != nil {
		return nil, fmt.Errorf("data: the test split of %s stays sealed, since its opening could not be logged: %w", s.dir, err)
	}
	opened, err := openSplit(s.dir, s.card.Source, Test, s.infos)
	if err != nil {
		return nil, fmt.Errorf("data: %s: %w", s.dir, err)
	}
	return &TestSplit{opened, opening}, nil
}

// checkSizes compares the sizes of the arrays with the index without opening them.
func (s *Sealed) checkSizes() error {
	for i, array := range s.card.Source.layouts(Test) {
		if array.file == "" {
			continue
		}
		stat, err := os.Stat(filepath.Join(s.dir, array.file))
		if err != nil {
			return fmt.Errorf("%w; import the data again", err)
		}
		want := int64(npy.HeaderSize)
		for _, e := range s.infos {
			want += 4 * int64(e.steps()[i]) * array.width()
		}
		if stat.Size() != want {
			return fmt.Errorf("%s has %d bytes and needs %d to fit %s and %s; import the data again", array.file, stat.Size(), want, indexFile, cardFile)
		}
	}
	return nil
}
