package record

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
)

// Rewind drops from every log what belongs to later epochs, and torn last lines, so that a run resumed at epoch's end goes
// on to write the same bytes as one that was never interrupted. Each log is cut in one step, and in any order, so a crash in
// between only means to call it again. The openings of the test split and the predictions stay.
func (r *Run) Rewind(epoch int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.open(); err != nil {
		return err
	}
	if err := r.closeLogs(); err != nil {
		return failed("closing the logs of", r.dir, err)
	}
	clear(r.last)
	for pattern, walk := range walkers {
		names, err := fs.Glob(os.DirFS(r.dir), pattern)
		if err != nil {
			return failed("listing", r.dir, err)
		}
		for _, name := range names {
			if err := r.rewind(name, walk, epoch); err != nil {
				return err
			}
		}
	}
	return r.remakeEvents()
}

// A walker goes through a kind of log: it calls visit with the epoch of every line, and returns the size of what was visited.
type walker func(path string, visit func(epoch int) error) (size int64, err error)

var walkers = map[string]walker{
	"*.jsonl":        walkStream,
	pseudoLabelsFile: pseudoLabels.walk,
	gateExamplesFile: gateExamples.walk,
}

func (r *Run) rewind(name string, walk walker, epoch int) error {
	path := filepath.Join(r.dir, name)
	size, err := walk(path, func(at int) error {
		if at > epoch {
			return errStop
		}
		r.last[name] = at
		return nil
	})
	if err != nil {
		return err
	}
	return cut(path, size)
}

func walkStream(path string, visit func(epoch int) error) (int64, error) {
	return scan(path, func(line []byte) error {
		if filepath.Base(path) == openedFile {
			var o Opening // of no epoch: only a torn line goes
			return json.Unmarshal(line, &o)
		}
		epoch, err := epochOf(line)
		if err != nil {
			return err
		}
		return visit(epoch)
	})
}
