// Package snapshot keeps the state of a training run in crash-safe checkpoints.
//
// A checkpoint is one safetensors file: the tensors, and in its metadata the rest of the state as JSON and a SHA-256 of both.
// It is written beside its place, synced and renamed, so that at any moment, whatever kills the process, the newest file that
// bears a checkpoint's name is whole, or an older one is still there.
package snapshot

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// State is what a checkpoint holds: tensors by name and whatever else encodes as JSON.
type State struct {
	Tensors map[string]safetensors.Tensor
	Meta    json.RawMessage
}

const (
	extension = ".checkpoint"
	partial   = ".partial-"
	metaKey   = "state"
	sumKey    = "sha256"
)

// Save writes dir/name.checkpoint, then removes the oldest checkpoints beyond keep, at least 1. Names sort by age: a later
// checkpoint has a greater name. It returns the file's path.
func Save(dir, name string, s State, keep int) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("snapshot: %w", err)
	}
	path := filepath.Join(dir, name+extension)
	file := &safetensors.File{Tensors: s.Tensors, Metadata: map[string]string{metaKey: string(s.Meta), sumKey: checksum(s)}}
	if err := write(path, file); err != nil {
		return "", fmt.Errorf("snapshot: %s was not saved, earlier checkpoints are as they were: %w", path, err)
	}
	return path, prune(dir, max(keep, 1))
}

func write(path string, file *safetensors.File) error {
	out, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+partial+"*")
	if err != nil {
		return err
	}
	err = safetensors.Write(out, file)
	err = errors.Join(err, out.Sync(), out.Close())
	if err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(out.Name()))
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// prune removes what was left behind by a killed Save, and old checkpoints.
func prune(dir string, keep int) error {
	names, torn, err := list(dir)
	if err != nil {
		return err
	}
	for _, name := range slices.Concat(torn, names[:max(len(names)-keep, 0)]) {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("snapshot: %w", err)
		}
	}
	return nil
}

// list returns the checkpoints of a folder, oldest first, and unfinished files.
func list(dir string) (names, torn []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("snapshot: %w", err)
	}
	for _, entry := range entries {
		switch name := entry.Name(); {
		case strings.Contains(name, extension+partial):
			torn = append(torn, name)
		case strings.HasSuffix(name, extension):
			names = append(names, name)
		}
	}
	return names, torn, nil
}

// checksum covers the JSON and every tensor with its name, type and shape.
func checksum(s State) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n", len(s.Meta), s.Meta)
	for _, name := range slices.SortedFunc(maps.Keys(s.Tensors), cmp.Compare) {
		t := s.Tensors[name]
		fmt.Fprintf(h, "%q %s %v\n", name, t.DType, t.Shape)
		h.Write(t.Data)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Load reads one checkpoint and verifies it.
func Load(path string) (State, error) {
	file, err := safetensors.ReadFile(path)
	if err != nil {
		return State{}, fmt.Errorf("snapshot: %w", err)
	}
	s := State{Tensors: file.Tensors, Meta: json.RawMessage(file.Metadata[metaKey])}
	if checksum(s) != file.Metadata[sumKey] {
		return State{}, fmt.Errorf("snapshot: %s is damaged: its contents do not have the SHA-256 that it states", path)
	}
	return s, nil
}

// Latest reads the newest checkpoint of a folder that is whole. Newer ones that are not are skipped, each with its error.
func Latest(dir string) (s State, path string, skipped []error, err error) {
	names, _, err := list(dir)
	if err != nil {
		return State{}, "", nil, err
	}
	for _, name := range slices.Backward(names) {
		path = filepath.Join(dir, name)
		if s, err = Load(path); err == nil {
			return s, path, skipped, nil
		}
		skipped = append(skipped, err)
	}
	return State{}, "", skipped, fmt.Errorf("snapshot: %s holds no whole checkpoint: %w", dir, errors.Join(append(skipped, fs.ErrNotExist)...))
}
