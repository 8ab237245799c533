package compilecache

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

// Entry is a program that is kept.
type Entry struct {
	Name string
	Size int64     // in bytes, of the file
	Used time.Time // stored or loaded last
}

// Entries lists what is kept, used longest ago first.
func (c *Cache) Entries() ([]Entry, error) {
	found, _, err := c.list()
	return found, err
}

// Clear removes every entry.
func (c *Cache) Clear() error {
	found, partial, err := c.list()
	for _, entry := range append(found, partial...) {
		err = errors.Join(err, c.remove(entry))
	}
	return err
}

// abandoned is the age of a file half written that nobody can be writing any more.
const abandoned = time.Hour

// trim removes what is beyond the limit, and what killed writers left behind.
func (c *Cache) trim() error {
	found, partial, err := c.list()
	total := int64(0)
	for _, entry := range found {
		total += entry.Size
	}
	for _, entry := range found {
		if total <= c.limit {
			break
		}
		err = errors.Join(err, c.remove(entry))
		total -= entry.Size
	}
	for _, entry := range partial {
		if time.Since(entry.Used) > abandoned {
			err = errors.Join(err, c.remove(entry))
		}
	}
	return err
}

// remove removes a file; another process may have done it.
func (c *Cache) remove(entry Entry) error {
	if err := c.folder.Remove(entry.Name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// list reads the folder: entries, and files half written. Others, which are not the cache's, are left alone.
func (c *Cache) list() (found, partial []Entry, err error) {
	files, err := fs.ReadDir(c.folder.FS(), ".")
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil { // removed just now
			continue
		}
		entry := Entry{Name: file.Name(), Size: info.Size(), Used: info.ModTime()}
		switch {
		case strings.HasSuffix(entry.Name, extension):
			found = append(found, entry)
		case strings.Contains(entry.Name, extension+atomicfile.Partial):
			partial = append(partial, entry)
		}
	}
	slices.SortFunc(found, func(a, b Entry) int { return cmp.Or(a.Used.Compare(b.Used), cmp.Compare(a.Name, b.Name)) })
	return found, partial, nil
}
