package snapshot

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace puts a file in its place in one step, and on the disk before it returns: after a crash at any moment either the old
// content is there or the new.
func Replace(path string, content []byte) error {
	return ReplaceFunc(path, func(w io.Writer) error { _, err := w.Write(content); return err })
}

// ReplaceFunc is [Replace] with what write writes. Where that fails, the old content stays.
func ReplaceFunc(path string, write func(io.Writer) error) error {
	out, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partial+"*")
	if err != nil {
		return err
	}
	err = errors.Join(write(out), out.Chmod(0o644), out.Sync(), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return SyncDir(filepath.Dir(path))
}

// SyncDir puts a folder's entries on the disk, where its file system can.
func SyncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}
