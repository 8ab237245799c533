package record

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Status says how far a run came.
type Status string

// A run is Running until its writer says otherwise. One whose writer died without a word is shown as Interrupted.
const (
	Running     Status = "running"
	Finished    Status = "finished"
	Interrupted Status = "interrupted"
	Failed      Status = "failed"
)

// Manifest is run.json.
type Manifest struct {
	Format  int         `json:"format"`
	ID      string      `json:"id"`   // random, never changes
	Name    string      `json:"name"` // the folder's at creation
	Status  Status      `json:"status"`
	Error   string      `json:"error,omitempty"` // why it failed
	Model   string      `json:"model"`
	Seed    uint64      `json:"seed"`
	Data    Data        `json:"data"`
	Created time.Time   `json:"created"`
	Resumed []time.Time `json:"resumed,omitempty"`
	Ended   time.Time   `json:"ended,omitzero"` // when the last writer said how it went

	Argv    []string          `json:"argv"`
	Config  json.RawMessage   `json:"config,omitempty"` // resolved, as JSON; config.toml is the same for people
	Commit  string            `json:"commit"`           // "unknown" where neither the binary nor a repository tells
	Dirty   bool              `json:"dirty"`            // built or run from a tree with changes; see diff.patch
	Modules map[string]string `json:"modules,omitempty"`
	Go      string            `json:"go"`
	Encoder string            `json:"encoder_sha256,omitempty"` // of the pretrained text encoder; empty where there is none
	Backend string            `json:"backend,omitempty"`
	Host    Host              `json:"host"`
	PID     int               `json:"pid"` // of the last writer

	Result json.RawMessage `json:"result,omitempty"` // best epoch, scores per split: the experiment's to say
	Cost   Cost            `json:"cost"`
}

// Data says what a run was trained on, so that a changed file is noticed.
type Data struct {
	Name   string            `json:"name"`
	Dir    string            `json:"dir,omitempty"`
	Card   string            `json:"card_sha256,omitempty"`
	Arrays map[string]string `json:"arrays_sha256,omitempty"` // by file name
}

// Host is the machine.
type Host struct {
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	CPUs   int    `json:"cpus"`
	Memory uint64 `json:"memory,omitempty"` // bytes; 0 where the system does not tell
	Name   string `json:"name,omitempty"`
	CPU    string `json:"cpu,omitempty"` // the processor's name, where the system tells
}

// maxManifest bounds what is read as a run.json; real ones have a few kilobytes.
const maxManifest = 16 << 20

// readManifest reads dir's run.json.
func readManifest(dir string) (m Manifest, err error) {
	path := filepath.Join(dir, manifestFile)
	file, err := os.Open(path)
	if err != nil {
		return m, failed("opening", path, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxManifest+1))
	if err != nil {
		return m, failed("reading", path, err)
	}
	if len(text) > maxManifest {
		return m, fmt.Errorf("record: %s has more than %d MiB; it is no run's manifest", path, maxManifest>>20)
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("record: %s is damaged: %w; restore it from a copy, or delete the run", path, err)
	}
	return m, m.check(path)
}

func (m Manifest) check(path string) error {
	switch {
	case m.Format < 1:
		return fmt.Errorf("record: %s has no format version; it is no run's manifest", path)
	case m.Format > Format:
		return fmt.Errorf("record: %s has format %d and this build reads up to %d; use a newer build", path, m.Format, Format)
	case m.Status != Running && m.Status != Finished && m.Status != Interrupted && m.Status != Failed:
		return fmt.Errorf("record: %s has status %q; it must be running, finished, interrupted or failed", path, m.Status)
	}
	return nil
}

func (m Manifest) write(dir string) error {
	path := filepath.Join(dir, manifestFile)
	if err := m.check(path); err != nil {
		return err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("record: the manifest cannot be written as JSON: %w", err)
	}
	return replace(path, append(text, '\n'))
}
