package record

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Reader reads a run folder, which may be written at the same time. It changes nothing there.
type Reader struct {
	dir      string
	manifest Manifest
}

// Open reads a run's manifest. A run that says it is running but has no living writer is shown as [Interrupted].
func Open(dir string) (*Reader, error) {
	m, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	if m.Status == Running {
		alive, err := locked(dir)
		if err != nil {
			return nil, err
		}
		if !alive {
			m.Status = Interrupted
		}
	}
	return &Reader{dir, m}, nil
}

// Dir is the run's folder.
func (r *Reader) Dir() string { return r.dir }

// Manifest is run.json as it stood when the run was opened.
func (r *Reader) Manifest() Manifest { return r.manifest }

// Config reads config.toml. It wraps fs.ErrNotExist where the run has none.
func (r *Reader) Config() ([]byte, error) {
	path := filepath.Join(r.dir, configFile)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, failed("reading", path, err)
	}
	return text, nil
}

// Metrics reads metrics.jsonl.
func (r *Reader) Metrics() ([]Scalars, error) { return Read[Scalars](r, Metrics) }

// Openings reads opened.jsonl: when and why the test split was opened.
func (r *Reader) Openings() ([]Opening, error) { return Read[Opening](r, openedFile) }

// Read decodes the lines of a stream as T. A run without that stream has none. A torn last line is passed over; any other
// damaged line is an error with file and line number, returned with what came before it.
func Read[T any](r *Reader, stream Stream) ([]T, error) {
	var lines []T
	_, err := scan(filepath.Join(r.dir, string(stream)), func(line []byte) error {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return err
		}
		lines = append(lines, v)
		return nil
	})
	return lines, err
}

// Summary is one run of a [List].
type Summary struct {
	Dir      string
	Manifest Manifest
}

// List finds all runs below root, in whatever folders they lie, newest last. Folders that are runs but cannot be read are
// left out and reported: the error then joins one for each, and the list is still good.
func List(root string) ([]Summary, error) {
	var found []Summary
	var broken []error
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			broken = append(broken, failed("listing", path, err))
			return nil
		}
		if !entry.IsDir() || !isRun(path) {
			return nil
		}
		if r, err := Open(path); err != nil {
			broken = append(broken, err)
		} else {
			found = append(found, Summary{path, r.manifest})
		}
		return fs.SkipDir
	})
	slices.SortStableFunc(found, func(a, b Summary) int {
		if order := a.Manifest.Created.Compare(b.Manifest.Created); order != 0 {
			return order
		}
		return strings.Compare(a.Dir, b.Dir)
	})
	return found, errors.Join(append(broken, err)...)
}

// isRun says whether a folder was made by [Create], even if it did not get far.
func isRun(dir string) bool {
	for _, name := range []string{manifestFile, lockFile} {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}
