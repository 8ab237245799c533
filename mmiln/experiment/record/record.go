// Package record keeps a run: a folder with one writer, from which everything shown anywhere is computed.
//
//	run.json              what ran, on what, with which result: a [Manifest], replaced as a whole each time it changes
//	config.toml           the resolved configuration
//	diff.patch            what the working tree had changed since the commit; absent where it was clean or git was not there
//	metrics.jsonl         one line per epoch, nothing of clock or machine in it: the same seed writes the same bytes
//	timing.jsonl          seconds per epoch
//	gates.jsonl, refusion.jsonl, ulgm.jsonl, pseudo_labels.csv, gates_examples.csv      telemetry
//	predictions/*.csv     one line per example of a split
//	opened.jsonl          each opening of the test split
//	tensorboard/          the scalars of metrics.jsonl as TensorBoard reads them
//	checkpoints/          left to whoever writes them
//	lock                  held by the writer; its content means nothing
//
// Logs only grow, by whole lines, and epochs in them never go back. So a killed writer costs at most a torn last line, which
// readers pass over, and going back to a checkpoint ([Run.Rewind]) is a cut.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"syscall"
)

// Format is the version of the layout above that this package writes.
const Format = 1

// Stream is a log of JSON objects, one a line, each with an "epoch". The name is the file's.
type Stream string

// The streams that every run may have. Others can be added by naming them; [Run.Rewind] treats all the same.
const (
	Metrics  Stream = "metrics.jsonl"  // lines of [Scalars]
	Timing   Stream = "timing.jsonl"   // seconds per epoch
	Gates    Stream = "gates.jsonl"    // gate statistics by layer
	Refusion Stream = "refusion.jsonl" // similarity and orthogonality by layer
	ULGM     Stream = "ulgm.jsonl"     // class centres, guards and drift of the pseudo-labels
)

// The other files of a run folder.
const (
	manifestFile     = "run.json"
	configFile       = "config.toml"
	diffFile         = "diff.patch"
	openedFile       = "opened.jsonl"
	pseudoLabelsFile = "pseudo_labels.csv"
	gateExamplesFile = "gates_examples.csv"
	lockFile         = "lock"
	checkpointsDir   = "checkpoints"
	predictionsDir   = "predictions"
	tensorBoardDir   = "tensorboard"
)

// Number is a float64 that survives JSON: NaN and the infinities, which JSON lacks, are written as null, and null is read
// as NaN.
type Number float64

// MarshalJSON writes the shortest decimal that reads back the same.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// UnmarshalJSON reads a number or null.
func (n *Number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = Number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// Scalars is one line of [Metrics]: what an epoch came to, by name ("train/loss", "valid/mae").
type Scalars struct {
	Epoch  int               `json:"epoch"`
	Values map[string]Number `json:"values"`
}

// failed says what could not be done, where, and what to do about it.
func failed(doing, path string, err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err // the path is said already
	}
	return fmt.Errorf("record: %s %s: %w%s", doing, path, err, remedy(err))
}

func remedy(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return " (choose a folder that you may write to, or change its permissions)"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return " (free some space, then resume the run; what was written before is kept)"
	case errors.Is(err, fs.ErrNotExist):
		return " (was it moved or deleted? check the path)"
	case errors.Is(err, syscall.ENOTDIR):
		return " (a file stands where a folder should be; choose another path)"
	}
	return ""
}
