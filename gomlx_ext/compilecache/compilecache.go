// Package compilecache keeps compiled programs on the disk, so that a process need not compile what another one has compiled.
//
// What it keeps is machine code that the next process runs. So a folder is used only if it belongs to the user and nobody else may
// write to it, and so is every entry; an entry carries its key and a SHA-256 over key and program, and one that is damaged,
// truncated, renamed or somebody else's is an error and never a program.
//
// The package knows nothing of XLA; its folder plugin puts it between GoMLX and a PJRT plugin.
package compilecache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

// Cache is an open folder of programs. Processes and goroutines may share one.
type Cache struct {
	dir    string
	folder *os.Root
	limit  int64
}

// Open opens dir, and makes it where it is not there. Beyond limit bytes the entries that were used longest ago are removed.
func Open(dir string, limit int64) (*Cache, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	folder, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	info, err := folder.Stat(".")
	if err == nil {
		err = private(info)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), folder.Close())
	}
	return &Cache{dir: dir, folder: folder, limit: limit}, nil
}

// Dir is the folder.
func (c *Cache) Dir() string { return c.dir }

// Limit is how many bytes are kept.
func (c *Cache) Limit() int64 { return c.limit }

// Close lets go of the folder.
func (c *Cache) Close() error { return c.folder.Close() }

// An entry is the magic line, its key, the SHA-256 of key and program, the program.
const (
	magic     = "compiled program, format 1\n"
	headBytes = len(magic) + 2*sha256.Size
	extension = ".program"
)

// Load returns the program of a key; fs.ErrNotExist where there is none. A program that was used is kept longest.
func (c *Cache) Load(key Key) ([]byte, error) {
	file, err := c.folder.Open(key.name())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		err = private(info)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key.name(), err)
	}
	entry, err := io.ReadAll(io.LimitReader(file, info.Size()))
	if err != nil {
		return nil, err
	}
	program, err := decode(key, entry)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key.name(), err)
	}
	now := time.Now()
	_ = c.folder.Chtimes(key.name(), now, now) // only the order in which entries are removed depends on it
	return program, nil
}

// Store keeps a program, in one step; then what is too much is removed.
func (c *Cache) Store(key Key, program []byte) error {
	if int64(headBytes+len(program)) > c.limit {
		return fmt.Errorf("a program of %d bytes does not fit into a cache of %d", len(program), c.limit)
	}
	err := atomicfile.ReplaceIn(c.folder, key.name(), 0o600, func(w io.Writer) error {
		_, err := io.Copy(w, io.MultiReader(bytes.NewReader(head(key, program)), bytes.NewReader(program)))
		return err
	})
	return errors.Join(err, c.trim())
}

// head is what stands before a program.
func head(key Key, program []byte) []byte {
	sum := checksum(key, program)
	return append(append([]byte(magic), key[:]...), sum[:]...)
}

func checksum(key Key, program []byte) [sha256.Size]byte {
	h := sha256.New()
	h.Write(key[:])
	h.Write(program)
	return [sha256.Size]byte(h.Sum(nil))
}

// decode is the program of an entry that is whole and this key's.
func decode(key Key, entry []byte) ([]byte, error) {
	if len(entry) < headBytes || !bytes.Equal(entry[:headBytes], head(key, entry[headBytes:])) {
		return nil, errors.New("the entry is damaged, or another program's")
	}
	return entry[headBytes:], nil
}

// Key names a program by all that it depends on.
type Key [sha256.Size]byte

// NewKey hashes the parts, each with its length, so that what is cut elsewhere is another key.
func NewKey(parts ...[]byte) Key {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d\n", len(part))
		h.Write(part)
	}
	return Key(h.Sum(nil))
}

func (k Key) name() string { return hex.EncodeToString(k[:]) + extension }

// private is an error where anybody but the user could have written what info describes.
func private(info fs.FileInfo) error {
	if !owned(info) {
		return errors.New("it belongs to another user")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return errors.New("other users may write to it; chmod go-w it, or name another folder")
	}
	return nil
}
