package record

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
)

// Run is a run folder being written. Its methods may be called from several goroutines.
type Run struct {
	dir  string
	lock *flock.Flock

	mu       sync.Mutex
	manifest Manifest
	begun    Cost            // what the process had used when it took over
	spent    Cost            // what earlier writers of this run had used
	logs     map[string]*log // open files by name within dir
	last     map[string]int  // the last epoch in each log
	events   string          // TensorBoard's file within dir
}

// Create makes a run folder below root and becomes its writer. It fills in Format, Status, PID, Go, Modules and Host, and
// what m leaves empty of ID, Name, Created, Argv and Commit. The name is made of model, data set, seed and time, such as
// "mmiln-planted-s1111-20261124-231500", with "-2" and so on behind it where that exists.
//
// Close the run in any case; say how it went with [Run.Finish] first.
func Create(root string, m Manifest) (*Run, error) {
	diff := m.describe()
	if !goodName.MatchString(m.Name) {
		return nil, fmt.Errorf("record: %q cannot name a run; use letters, digits, '.', '_' and '-'", m.Name)
	}
	dir, err := makeDir(root, m.Name)
	if err != nil {
		return nil, err
	}
	m.Name = filepath.Base(dir)
	r, err := take(dir)
	if err == nil {
		if err = r.begin(m, diff); err != nil {
			err = errors.Join(err, r.Close())
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return r, nil
}

// describe fills in what can be found out, and returns the working tree's changes.
func (m *Manifest) describe() (diff []byte) {
	m.Format, m.Status, m.PID = Format, Running, os.Getpid()
	m.ID = cmp.Or(m.ID, rand.Text())
	m.Created = cmp.Or(m.Created, time.Now().Truncate(time.Second))
	m.Name = cmp.Or(m.Name, fmt.Sprintf("%s-%s-s%d-%s", plain(m.Model), plain(m.Data.Name), m.Seed, m.Created.Format("20060102-150405")))
	if m.Argv == nil {
		m.Argv = os.Args
	}
	if m.Commit == "" {
		m.Commit, m.Dirty, diff = source()
	}
	m.Go, m.Modules, m.Host = build()
	return diff
}

var (
	goodName = regexp.MustCompile(`^[\pL\pN][\pL\pN._-]{0,199}$`)
	notPlain = regexp.MustCompile(`[^a-z0-9._]+`)
)

// plain turns a name into a part of a file name.
func plain(name string) string {
	return cmp.Or(strings.Trim(notPlain.ReplaceAllString(strings.ToLower(name), "-"), "-._"), "unnamed")
}

// makeDir makes root/name, or root/name-2 and so on where that exists already.
func makeDir(root, name string) (string, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", failed("making", root, err)
	}
	dir := filepath.Join(root, name)
	for i := 2; ; i++ {
		err := os.Mkdir(dir, 0o755)
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return "", failed("making", dir, err)
		}
		dir = filepath.Join(root, fmt.Sprintf("%s-%d", name, i))
	}
}

// begin writes what there is before the first epoch.
func (r *Run) begin(m Manifest, diff []byte) error {
	for _, sub := range []string{checkpointsDir, predictionsDir, tensorBoardDir} {
		if err := os.Mkdir(filepath.Join(r.dir, sub), 0o755); err != nil {
			return failed("making", filepath.Join(r.dir, sub), err)
		}
	}
	if len(diff) > 0 {
		if err := replace(filepath.Join(r.dir, diffFile), diff); err != nil {
			return err
		}
	}
	if err := r.Update(func(old *Manifest) { *old = m }); err != nil {
		return err
	}
	if err := r.remakeEvents(); err != nil {
		return err
	}
	return atomicfile.SyncDir(filepath.Dir(r.dir))
}

func take(dir string) (*Run, error) {
	held, err := lock(dir)
	if err != nil {
		return nil, err
	}
	return &Run{dir: dir, lock: held, begun: Usage(), logs: map[string]*log{}, last: map[string]int{}}, nil
}

// Resume becomes the writer of a run that has none, and keeps what is there except for torn last lines. Where training goes
// on from a checkpoint, call [Run.Rewind] with the checkpoint's epoch next.
func Resume(dir string) (*Run, error) {
	if _, err := readManifest(dir); err != nil { // before a lock file is left in a folder that is no run
		return nil, err
	}
	r, err := take(dir)
	if err != nil {
		return nil, err
	}
	if err := r.goOn(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Run) goOn() (err error) {
	if r.manifest, err = readManifest(r.dir); err != nil {
		return err
	}
	r.spent = r.manifest.Cost
	if err := r.Rewind(math.MaxInt); err != nil {
		return err
	}
	return r.Update(func(m *Manifest) {
		m.Format, m.Status, m.Error, m.PID, m.Ended = Format, Running, "", os.Getpid(), time.Time{}
		m.Resumed = append(m.Resumed[:len(m.Resumed):len(m.Resumed)], time.Now().Truncate(time.Second))
	})
}

// Dir is the run's folder.
func (r *Run) Dir() string { return r.dir }

// Checkpoints is the folder for checkpoints, which this package leaves alone.
func (r *Run) Checkpoints() string { return filepath.Join(r.dir, checkpointsDir) }

// Manifest is run.json as it stands. Its maps and slices are the run's: replace them in [Run.Update], do not change them.
func (r *Run) Manifest() Manifest {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.manifest
}

// Update changes run.json. Where it cannot be written, nothing has changed.
func (r *Run) Update(change func(*Manifest)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.open(); err != nil {
		return err
	}
	m := r.manifest
	change(&m)
	if err := m.write(r.dir); err != nil {
		return err
	}
	r.manifest = m
	return nil
}

// Config keeps the resolved configuration as config.toml.
func (r *Run) Config(toml []byte) error { return r.replace(configFile, toml) }

// Sync ends an epoch: once it has returned, what was written so far, and the cost so far, survive a power cut.
func (r *Run) Sync() error {
	if err := r.syncLogs(); err != nil {
		return err
	}
	return r.Update(func(m *Manifest) { m.Cost = r.spent.plus(Usage().since(r.begun)) })
}

func (r *Run) syncLogs() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.logs {
		if err := l.sync(); err != nil {
			return err
		}
	}
	return nil
}

// Finish says how the run ended: the result (encoded as JSON; nil keeps an earlier one) and, where it failed, the cause. The
// cost is measured: what this process has used since it created or resumed the run, and what earlier writers had.
func (r *Run) Finish(status Status, result any, cause error) error {
	text, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("record: the result cannot be written as JSON: %w (use record.Number for what may be NaN)", err)
	}
	if err := r.Sync(); err != nil {
		return err
	}
	return r.Update(func(m *Manifest) {
		m.Status, m.Ended = status, time.Now().UTC().Truncate(time.Second)
		if result != nil {
			m.Result = text
		}
		if cause != nil {
			m.Error = cause.Error()
		}
	})
}

// Close lets go of the folder. A run that is closed without [Run.Finish] is shown as interrupted.
func (r *Run) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.closeLogs(), r.lock.Close())
}

// open says whether the folder is still this writer's.
func (r *Run) open() error {
	if !r.lock.Locked() {
		return fmt.Errorf("record: %s was closed and another may write it; resume it first", r.dir)
	}
	return nil
}

// replace writes one of the run's files as a whole.
func (r *Run) replace(name string, content []byte) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.open(); err != nil {
		return err
	}
	return replace(filepath.Join(r.dir, name), content)
}

func (r *Run) closeLogs() error {
	var failures []error
	for _, l := range r.logs {
		failures = append(failures, l.file.Close())
	}
	clear(r.logs)
	return errors.Join(failures...)
}
