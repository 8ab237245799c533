package snapshot

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

const extension = ".checkpoint"

var pattern = regexp.MustCompile(`^([0-9]{6,12})-.+` + regexp.QuoteMeta(extension) + `$`)

func fileName(number int64, name string) string {
	return fmt.Sprintf("%06d-%s%s", number, name, extension)
}

// numbered is a checkpoint's file. The number, not the name or the clock, says which is newer.
type numbered struct {
	number int64
	name   string
}

// contents are a folder's checkpoints, oldest first, and what killed writers left behind.
type contents struct {
	files []numbered
	torn  []string
}

// next is the number of the next checkpoint.
func (c contents) next() int64 {
	if len(c.files) == 0 {
		return 1
	}
	return c.files[len(c.files)-1].number + 1
}

func list(dir string) (contents, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return contents{}, err
	}
	var found contents
	for _, entry := range entries {
		name := entry.Name()
		if strings.Contains(name, extension+atomicfile.Partial) {
			found.torn = append(found.torn, name)
		}
		if match := pattern.FindStringSubmatch(name); match != nil {
			number, err := strconv.ParseInt(match[1], 10, 64)
			if err != nil {
				return contents{}, fmt.Errorf("%s: %w", name, err)
			}
			found.files = append(found.files, numbered{number, name})
		}
	}
	slices.SortFunc(found.files, func(a, b numbered) int { return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.name, b.name)) })
	return found, nil
}

// prune removes all but the newest keep checkpoints, and what killed writers left behind.
func prune(dir string, keep int) error {
	found, err := list(dir)
	if err != nil {
		return err
	}
	gone := found.torn
	for _, file := range found.files[:max(len(found.files)-keep, 0)] {
		gone = append(gone, file.name)
	}
	var failures []error
	for _, name := range gone {
		if err := os.Remove(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(dir))
}
