package record

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

// replace writes a file as a whole, see [atomicfile.Replace].
func replace(path string, content []byte) error {
	if err := atomicfile.Replace(path, content); err != nil {
		return failed("writing", path, err)
	}
	return nil
}

// log is a file that only grows.
type log struct {
	file *os.File
	size int64
}

func openLog(path string) (*log, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, failed("opening", path, err)
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil && size == 0 {
		err = atomicfile.SyncDir(filepath.Dir(path)) // it may be new
	}
	if err != nil {
		return nil, failed("opening", path, errors.Join(err, file.Close()))
	}
	return &log{file, size}, nil
}

// append writes in one call. What a full disk left of it is taken back, so that the next line does not follow half a one.
func (l *log) append(content []byte) error {
	if _, err := l.file.Write(content); err != nil {
		return failed("writing", l.file.Name(), errors.Join(err, l.file.Truncate(l.size)))
	}
	l.size += int64(len(content))
	return nil
}

func (l *log) sync() error {
	if err := l.file.Sync(); err != nil {
		return failed("writing", l.file.Name(), err)
	}
	return nil
}

// cut drops everything beyond size. A file that is not there has nothing to drop.
func cut(path string, size int64) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() <= size {
		return nil
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err == nil {
		err = errors.Join(file.Truncate(size), file.Sync(), file.Close())
	}
	if err != nil {
		return failed("cutting", path, err)
	}
	return nil
}
