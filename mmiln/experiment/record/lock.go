package record

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// A reader that asks whether a run is alive holds its lock for an instant; a writer waits that long and no longer.
const (
	lockWait  = 500 * time.Millisecond
	lockRetry = 10 * time.Millisecond
)

// lock makes the caller dir's only writer, until it closes the lock or dies.
func lock(dir string) (*flock.Flock, error) {
	path := filepath.Join(dir, lockFile)
	held := flock.New(path, flock.SetPermissions(0o644))
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	ok, err := held.TryLockContext(ctx, lockRetry)
	if ok {
		return held, nil
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return nil, failed("locking", path, err)
	}
	by := "another process"
	if m, err := readManifest(dir); err == nil {
		by = fmt.Sprintf("process %d", m.PID)
	}
	return nil, fmt.Errorf("record: %s is being written by %s; wait for it, stop it, or start a run of its own", dir, by)
}

// locked says whether dir has a living writer. It changes nothing in the folder.
func locked(dir string) (bool, error) {
	path := filepath.Join(dir, lockFile)
	probe := flock.New(path, flock.SetFlag(os.O_RDONLY))
	free, err := probe.TryRLock()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // the folder is a copy
	}
	if err != nil {
		return false, failed("locking", path, err)
	}
	return !free, probe.Close()
}
