// Package atomicfile puts whole files in their place: after a crash at any moment either the old content is there or the new.
// It knows nothing of what they hold.
package atomicfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Partial follows the name of a file that is being written, before some letters. A killed writer leaves such a file behind.
const Partial = ".partial-"

// Replace puts a file in its place in one step, and on the disk before it returns.
func Replace(path string, content []byte) error {
	return ReplaceFunc(path, func(w io.Writer) error { _, err := w.Write(content); return err })
}

// ReplaceFunc is [Replace] with what write writes. Where that fails, the old content stays.
func ReplaceFunc(path string, write func(io.Writer) error) error {
	folder, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return errors.Join(ReplaceIn(folder, filepath.Base(path), 0o644, write), folder.Close())
}

// ReplaceIn is [ReplaceFunc] for a name in an open folder, whatever has become of the folder's own path, with the file's permissions.
func ReplaceIn(folder *os.Root, name string, permissions fs.FileMode, write func(io.Writer) error) error {
	partial := name + Partial + rand.Text()
	out, err := folder.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, permissions)
	if err != nil {
		return err
	}
	err = errors.Join(write(out), out.Chmod(permissions), out.Sync(), out.Close())
	if err == nil {
		err = folder.Rename(partial, name)
	}
	if err != nil {
		return errors.Join(err, folder.Remove(partial))
	}
	dir, err := folder.Open(".")
	if err != nil {
		return err
	}
	return syncEntries(dir)
}

// SyncDir puts a folder's entries on the disk, where its file system can.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return syncEntries(dir)
}

// syncEntries closes dir.
func syncEntries(dir *os.File) error {
	err := dir.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}
