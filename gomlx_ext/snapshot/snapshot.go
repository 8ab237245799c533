// Package snapshot keeps the state of a training run in crash-safe checkpoints.
//
// A checkpoint is one safetensors file: the tensors, and in its metadata the rest of the state as JSON and a SHA-256 of both.
// It is written beside its place, synced and renamed, so that at any moment, whatever kills the process, the newest file that
// bears a checkpoint's name is whole, or an older one is still there.
package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// State is what a checkpoint holds: tensors by name and whatever else encodes as JSON.
type State struct {
	Tensors map[string]safetensors.Tensor
	Meta    json.RawMessage
}

const (
	metaKey = "state"
	sumKey  = "sha256"
)

// Save adds a checkpoint to a folder and returns its path, dir/NNNNNN-name.checkpoint, where NNNNNN counts the folder's
// checkpoints from 1. Once it is safely there, all but the newest keep (at least 1) are removed. A folder has one writer.
//
// When an error comes with a path, the checkpoint was saved and older ones could not be removed.
func Save(dir, name string, s State, keep int) (path string, err error) {
	if name == "" || name != filepath.Base(name) {
		return "", fmt.Errorf("snapshot: %q cannot name a checkpoint: use a plain file name", name)
	}
	if len(s.Meta) > 0 && !json.Valid(s.Meta) {
		return "", fmt.Errorf("snapshot: %s: the state beside the tensors is not JSON", name)
	}
	path, err = save(dir, name, s)
	if err != nil {
		return "", fmt.Errorf("snapshot: %s was not saved in %s, earlier checkpoints are as they were: %w", name, dir, err)
	}
	if err := prune(dir, max(keep, 1)); err != nil {
		return path, fmt.Errorf("snapshot: %s was saved, but older ones were not removed: %w", path, err)
	}
	return path, nil
}

func save(dir, name string, s State) (string, error) {
	if err := makeDir(dir); err != nil {
		return "", err
	}
	found, err := list(dir)
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, fileName(found.next(), name))
	metadata := map[string]string{metaKey: string(s.Meta), sumKey: checksum(s)}
	file := &safetensors.File{Tensors: s.Tensors, Metadata: metadata}
	return path, atomicfile.ReplaceFunc(path, func(w io.Writer) error { return safetensors.Write(w, file) })
}

// checksum covers the JSON and every tensor with its name, type and shape.
func checksum(s State) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n%s\n", len(s.Meta), s.Meta)
	for _, name := range slices.Sorted(maps.Keys(s.Tensors)) {
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
	s, err := verified(file)
	if err != nil {
		return State{}, fmt.Errorf("snapshot: %s %w", path, err)
	}
	return s, nil
}

func verified(file *safetensors.File) (State, error) {
	want, found := file.Metadata[sumKey]
	if !found {
		return State{}, errors.New("is no checkpoint: it states no SHA-256")
	}
	s := State{Tensors: file.Tensors, Meta: json.RawMessage(file.Metadata[metaKey])}
	if checksum(s) != want {
		return State{}, errors.New("is damaged: its contents do not have the SHA-256 that it states")
	}
	return s, nil
}

// Latest reads the newest checkpoint of a folder that is whole. Newer ones that are not are skipped, each with its error.
// The error wraps [fs.ErrNotExist] where the folder holds no checkpoint at all.
func Latest(dir string) (s State, path string, skipped []error, err error) {
	const tries = 10
	for range tries {
		s, path, skipped, err = latest(dir)
		if err == nil || !errors.Is(errors.Join(skipped...), fs.ErrNotExist) {
			break
		}
		// A run that is being trained removed a file between our listing and reading: list again.
	}
	return s, path, skipped, err
}

func latest(dir string) (s State, path string, skipped []error, err error) {
	found, err := list(dir)
	if err != nil {
		return State{}, "", nil, fmt.Errorf("snapshot: %w", err)
	}
	if len(found.files) == 0 {
		return State{}, "", nil, fmt.Errorf("snapshot: no checkpoint in %s: %w", dir, fs.ErrNotExist)
	}
	for _, file := range slices.Backward(found.files) {
		path = filepath.Join(dir, file.name)
		if s, err = Load(path); err == nil {
			return s, path, skipped, nil
		}
		skipped = append(skipped, err)
	}
	return State{}, "", skipped, fmt.Errorf("snapshot: no checkpoint in %s is whole:\n%w", dir, errors.Join(skipped...))
}
