package experiment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Key identifies what training on a data set computes: a hash of the resolved configuration, its seed and the set's card (its
// SHA-256). Names, expected scores and where the set lies have no part in it. Of the schema the widths are enough.
func (c Config) Key(schema data.Schema, card string) (string, error) {
	if c.Text.own() {
		schema.Width[data.Text] = 1 // it is made of the transcripts, so it is there
	}
	return c.withoutAbsent(schema).key(card)
}

// KeyOf is the [Config.Key] of a run.
func KeyOf(m record.Manifest) (string, error) {
	c, err := ConfigIn(m)
	if err != nil {
		return "", err
	}
	return c.key(m.Data.Card)
}

// key hashes the TOML form, which has one way to write an empty list where JSON has two.
func (c Config) key(card string) (string, error) {
	c.Name, c.Data.Dir = "", ""
	c.ExpectNothing()
	text, err := c.TOML()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(text, card...))
	return hex.EncodeToString(sum[:]), nil
}

// Known are the runs below a folder by their keys: of one key a finished run before any other, a later one before an earlier.
// Runs that cannot be read, or died before their configuration was written, do not count.
func Known(runs string) map[string]record.Summary {
	known := map[string]record.Summary{}
	if _, err := os.Stat(runs); err != nil {
		return known
	}
	list, _ := record.List(runs) // what cannot be read cannot be gone on with; a new run does not touch it
	for _, run := range list {
		key, err := KeyOf(run.Manifest)
		if err != nil {
			continue
		}
		if _, err := ConfigOf(run.Dir); err != nil {
			continue
		}
		if other, ok := known[key]; !ok || run.Manifest.Status == record.Finished || other.Manifest.Status != record.Finished {
			known[key] = run
		}
	}
	return known
}

// Continue sees to it that a configuration has a finished run below o.Runs: it returns the result of one that is there, goes on
// with one that was interrupted or failed, or trains from the beginning. Where another process does so at the same time, such
// as one whose parent was killed, it waits for it first.
func Continue(ctx context.Context, c Config, o Options) (result Result, err error) {
	development, _, err := c.Data.open()
	if err != nil {
		return Result{}, err
	}
	key, err := c.Key(development.Schema(), development.Card().SHA256())
	if err != nil {
		return Result{}, err
	}
	held, err := await(ctx, o.Runs, key)
	if err != nil {
		return Result{}, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	run, ok := Known(o.Runs)[key]
	switch {
	case !ok:
		return Train(ctx, c, o)
	case run.Manifest.Status != record.Finished:
		return Resume(ctx, run.Dir, o)
	}
	result, err = ResultOf(run.Manifest)
	result.Dir = run.Dir
	return result, err
}

// await takes the right to train a key's run. The lock is a file of its own, since the run's folder may not be there yet.
func await(ctx context.Context, runs, key string) (*flock.Flock, error) {
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return nil, fmt.Errorf("%w (choose a folder that you may write to)", err)
	}
	held := flock.New(filepath.Join(runs, ".training-"+key[:16]), flock.SetPermissions(0o644))
	_, err := held.TryLockContext(ctx, 200*time.Millisecond)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return nil, ErrInterrupted
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%w (choose a folder that you may write to)", err)
	}
	return held, err
}
