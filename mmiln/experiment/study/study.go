// Package study carries out an experiment: a folder with one worker, from which it goes on wherever it was stopped.
//
//	experiment.toml    the file as it was given
//	experiment.json    the plan that it expanded to, and the hashes of its data; resuming goes by this
//	configs/*.toml     the configuration of each row, of each trial, and of what a search selected
//	trials.jsonl       every trial of a search: settings, score on validation, run
//	trials/ROW/        run folders of trials, which never open the test split
//	runs/ROW/          run folders of the rows
//	logs/*.log         what each process printed
//	.lock              held by the worker
//
// A run is known by the hash of its configuration, seed and data (experiment.Config.Key), not by a list of what was done. So a
// worker that is killed leaves nothing half true.
package study

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/plan"
)

const (
	format       = 1
	manifestFile = "experiment.json"
	sourceFile   = "experiment.toml"
	trialsFile   = "trials.jsonl"
	lockFile     = ".lock"
)

// lockWait is longer than whoever asks for the status holds the lock, for an instant.
const lockWait = 500 * time.Millisecond

// Study is an experiment's folder.
type Study struct {
	dir      string
	manifest Manifest

	mu sync.Mutex // of the manifest's sets
}

// Manifest is experiment.json.
type Manifest struct {
	Format  int       `json:"format"`
	Created time.Time `json:"created"`
	Argv    []string  `json:"argv"`
	Backend string    `json:"backend"` // as --backend has it
	Plan    plan.Plan `json:"plan"`
	// Sets are the data sets as they were when work began, by folder: with them, results can be told without the data.
	Sets map[string]Set `json:"sets,omitempty"`
}

// Set is what the key of a run needs to know of its data.
type Set struct {
	Card  string `json:"card_sha256"`
	Width [3]int `json:"width"`
}

// Create makes the folder of an experiment; source is the text that the plan was read from. It appears as a whole or not at all.
func Create(dir string, p *plan.Plan, source []byte, backend string, argv []string) (*Study, error) {
	if _, err := os.Stat(filepath.Join(dir, manifestFile)); err == nil {
		return nil, fmt.Errorf("%[1]s holds an experiment already; go on with it by mmiln experiment resume %[1]s, or choose another folder with --out", dir)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return nil, remedied(err)
	}
	fresh, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".partial-*")
	if err != nil {
		return nil, remedied(err)
	}
	defer os.RemoveAll(fresh) // it is gone once it was renamed
	m := Manifest{Format: format, Created: time.Now().Truncate(time.Second), Argv: argv, Backend: backend, Plan: *p}
	if err := fill(fresh, m, source); err != nil {
		return nil, remedied(err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		return nil, fmt.Errorf("%s is there and is no experiment's folder; choose another with --out (%w)", dir, err)
	}
	return Open(dir)
}

func fill(dir string, m Manifest, source []byte) error {
	for _, sub := range []string{"configs", "runs", "logs"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for _, row := range m.Plan.Rows {
		if err := writeConfig(filepath.Join(dir, "configs", row.Slug+".toml"), row.Config); err != nil {
			return err
		}
	}
	return errors.Join(os.Chmod(dir, 0o755), replace(filepath.Join(dir, sourceFile), source), m.write(dir))
}

func (m Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return replace(filepath.Join(dir, manifestFile), append(text, '\n'))
}

// Open reads the folder of an experiment.
func Open(dir string) (*Study, error) {
	path := filepath.Join(dir, manifestFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%s is no experiment's folder: it has no %s; begin one with mmiln experiment run", dir, manifestFile)
	}
	if err != nil {
		return nil, err
	}
	s := &Study{dir: dir}
	if err := json.Unmarshal(text, &s.manifest); err != nil {
		return nil, fmt.Errorf("%s is damaged: %w; restore it from a copy, or begin the experiment anew", path, err)
	}
	if m := s.manifest; m.Format != format || len(m.Plan.Rows) == 0 || len(m.Plan.Seeds) == 0 {
		return nil, fmt.Errorf("%s has format %d, %d rows and %d seeds; this build reads format %d with some of each", path, m.Format, len(m.Plan.Rows), len(m.Plan.Seeds), format)
	}
	for i := range s.manifest.Plan.Rows {
		row := &s.manifest.Plan.Rows[i]
		if row.Config, err = readConfig(s.configPath(row.Slug)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func readConfig(path string) (experiment.Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return experiment.Config{}, err
	}
	return experiment.Parse(path, text)
}

func writeConfig(path string, c experiment.Config) error {
	text, err := c.TOML()
	if err != nil {
		return err
	}
	return replace(path, text)
}

// Dir is the experiment's folder.
func (s *Study) Dir() string { return s.dir }

// Plan is what the experiment runs.
func (s *Study) Plan() plan.Plan { return s.manifest.Plan }

func (s *Study) configPath(name string) string {
	return filepath.Join(s.dir, "configs", name+".toml")
}

func (s *Study) logPath(name string) string { return filepath.Join(s.dir, "logs", name+".log") }
func (s *Study) runs(row plan.Row) string   { return filepath.Join(s.dir, "runs", row.Slug) }

// key is the run's of a configuration. It is an error before work on the experiment began.
func (s *Study) key(c experiment.Config) (string, error) {
	s.mu.Lock()
	set, ok := s.manifest.Sets[c.Data.Dir]
	s.mu.Unlock()
	if !ok {
		return "", fmt.Errorf("%s was not looked at yet", c.Data.Dir)
	}
	return c.Key(data.Schema{Width: set.Width}, set.Card)
}

// prepare generates the planted sets that are not there, says how to make the others, and remembers what it found.
func (s *Study) prepare() error {
	sets := map[string]Set{}
	for _, d := range s.manifest.Plan.Data {
		if err := provide(d); err != nil {
			return err
		}
		development, _, err := data.Open(d.Dir)
		if err != nil {
			return err
		}
		set := Set{development.Card().SHA256(), development.Schema().Width}
		if was, ok := s.manifest.Sets[d.Dir]; ok && was != set {
			return fmt.Errorf("%s is not the data set that %s began with (its card has %.12s… and not %.12s…); restore it, or begin anew with --out", d.Dir, s.dir, set.Card, was.Card)
		}
		sets[d.Dir] = set
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manifest.Sets = sets
	return s.manifest.write(s.dir)
}

// provide generates a planted set that is not there.
func provide(d plan.Data) error {
	if _, err := os.Stat(d.Dir); !errors.Is(err, fs.ErrNotExist) {
		return nil // what is wrong with it is found when it is opened
	}
	if d.Planted == "" {
		return fmt.Errorf("there is no data set at %s; make it with: %s", d.Dir, cmp.Or(d.Import, "mmiln data import FILE --out "+d.Dir))
	}
	sizes := map[string]func() planted.Config{"demo": planted.Demo, "mosi": planted.MOSI, "mosei": planted.MOSEI}
	c := sizes[d.Planted]()
	c.Seed = 1
	_, err := c.Save(d.Dir)
	if _, _, opened := data.Open(d.Dir); opened == nil {
		return nil // another process may have made it meanwhile
	}
	return err
}

// take makes the caller the folder's only worker.
func (s *Study) take() (*flock.Flock, error) {
	path := filepath.Join(s.dir, lockFile)
	held := flock.New(path, flock.SetPermissions(0o644))
	ctx, cancel := context.WithTimeout(context.Background(), lockWait)
	defer cancel()
	ok, err := held.TryLockContext(ctx, lockWait/50)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, remedied(err)
	}
	if !ok {
		return nil, fmt.Errorf("process %s works on %s; wait for it or stop it (mmiln experiment status %s shows how far it is)", s.worker(), s.dir, s.dir)
	}
	return held, os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o644)
}

// worker is the process that holds the lock, or held it last.
func (s *Study) worker() string {
	text, _ := os.ReadFile(filepath.Join(s.dir, lockFile)) // to be shown only
	return cmp.Or(strings.TrimSpace(string(text)), "(unknown)")
}

// Worked says whether a process works on the experiment, and which.
func (s *Study) Worked() (pid string, alive bool) {
	probe := flock.New(filepath.Join(s.dir, lockFile), flock.SetFlag(os.O_RDONLY))
	free, err := probe.TryRLock()
	if err != nil || free {
		_ = probe.Close() // it was only read
		return "", false
	}
	return s.worker(), true
}

// replace writes a file as a whole, see [atomicfile.Replace].
func replace(path string, content []byte) error {
	return remedied(atomicfile.Replace(path, content))
}

// remedied adds what to do about a folder that cannot be written.
func remedied(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w (choose a folder that you may write to, or change its permissions)", err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w (a file stands where a folder should be; choose another path)", err)
	}
	return err
}
