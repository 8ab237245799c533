package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// filter says which runs are listed, and in which order.
type filter struct {
	where              []string
	status, data, name string
	since              string
	sort               string
}

func (f *filter) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringArrayVar(&f.where, "where", nil, "only runs with this setting, such as mmiln.layers=2; repeatable")
	flags.StringVar(&f.status, "status", "", "only running, finished, interrupted or failed runs")
	flags.StringVar(&f.data, "data", "", "only runs on the data set of this name")
	flags.StringVar(&f.name, "name", "", "only runs of the configuration of this name")
	flags.StringVar(&f.since, "since", "", "only runs begun since then: a date (2026-11-24), or how long ago (36h, 7d)")
	flags.StringVar(&f.sort, "sort", "", "best first by a metric on validation (mae), or on test (test/mae)")
}

// apply picks and orders runs.
func (f *filter) apply(list []record.Summary) ([]record.Summary, error) {
	statuses := []record.Status{record.Running, record.Finished, record.Interrupted, record.Failed}
	if f.status != "" && !slices.Contains(statuses, record.Status(f.status)) {
		return nil, fmt.Errorf("--status is %q; use running, finished, interrupted or failed", f.status)
	}
	after, err := f.after(time.Now())
	if err != nil {
		return nil, err
	}
	settings := make([]map[string]string, len(list))
	for i, run := range list {
		if settings[i], err = experiment.Settings(run.Manifest); err != nil {
			return nil, err
		}
	}
	if err := f.checkWhere(settings); err != nil {
		return nil, err
	}
	var kept []record.Summary
	for i, run := range list {
		m := run.Manifest
		if (f.status == "" || string(m.Status) == f.status) && (f.data == "" || m.Data.Name == f.data) && (f.name == "" || m.Model == f.name) &&
			!m.Created.Before(after) && f.has(settings[i]) {
			kept = append(kept, run)
		}
	}
	return kept, f.order(kept)
}

// after is the time of --since; zero where there is none.
func (f *filter) after(now time.Time) (time.Time, error) {
	if f.since == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04"} {
		if at, err := time.ParseInLocation(layout, f.since, time.Local); err == nil {
			return at, nil
		}
	}
	if days, ok := strings.CutSuffix(f.since, "d"); ok {
		if n, err := strconv.ParseFloat(days, 64); err == nil && n >= 0 && n < 1e5 {
			return now.Add(-time.Duration(n * 24 * float64(time.Hour))), nil
		}
	}
	if ago, err := time.ParseDuration(f.since); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("--since is %q; give a date such as 2026-11-24, or how long ago, such as 36h or 7d", f.since)
}

// checkWhere refuses a key that no run has: it is a slip, and an empty list would hide it.
func (f *filter) checkWhere(settings []map[string]string) error {
	for _, condition := range f.where {
		key, _, ok := strings.Cut(condition, "=")
		if !ok {
			return fmt.Errorf("--where %q: write key=value, such as mmiln.layers=2", condition)
		}
		known := func(s map[string]string) bool { _, ok := s[strings.TrimSpace(key)]; return ok }
		if len(settings) > 0 && !slices.ContainsFunc(settings, known) {
			return fmt.Errorf("--where %s: no run has the key %s; `mmiln config demo --resolved` prints every key there is", condition, key)
		}
	}
	return nil
}

// has says whether a run fulfils every --where. A text needs no quotes.
func (f *filter) has(settings map[string]string) bool {
	for _, condition := range f.where {
		key, want, _ := strings.Cut(condition, "=")
		found, ok := settings[strings.TrimSpace(key)]
		if !ok || !sameValue(found, strings.TrimSpace(want)) {
			return false
		}
	}
	return true
}

func sameValue(found, want string) bool {
	var text string
	if found == want || json.Unmarshal([]byte(found), &text) == nil && text == want {
		return true
	}
	a, errA := strconv.ParseFloat(found, 64)
	b, errB := strconv.ParseFloat(want, 64)
	return errA == nil && errB == nil && a == b // 1e-3 is 0.001
}

// order sorts by the metric of --sort; runs without a result come last.
func (f *filter) order(list []record.Summary) error {
	if f.sort == "" {
		return nil
	}
	name, onTest := strings.CutPrefix(f.sort, "test/")
	name = strings.TrimPrefix(name, "valid/")
	direction, err := metric.Better(name)
	if err != nil {
		return fmt.Errorf("--sort %s: %w", f.sort, err)
	}
	value := func(run record.Summary) float64 {
		r, err := experiment.ResultOf(run.Manifest)
		if err != nil {
			return math.NaN()
		}
		scores := r.Valid
		if onTest {
			scores = r.Test
		}
		v, _ := scores.Get(name) // the name was checked
		return v
	}
	slices.SortStableFunc(list, func(a, b record.Summary) int {
		switch x, y := value(a), value(b); {
		case direction.Better(x, y):
			return -1
		case direction.Better(y, x):
			return 1
		}
		return 0
	})
	return nil
}

// duplicates finds finished runs that repeat an earlier one: settings, seed, data and code are the same. It returns the folder
// of the first of each by the folder of the others.
func duplicates(list []record.Summary) (map[string]string, error) {
	first, found := map[string]string{}, map[string]string{}
	for _, run := range list {
		m := run.Manifest
		if m.Status != record.Finished {
			continue
		}
		id, err := setupID(m)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", run.Dir, err)
		}
		key := fmt.Sprint(id, m.Seed, m.Commit, m.Dirty, changes(run.Dir))
		if earlier, ok := first[key]; ok {
			found[run.Dir] = earlier
		} else {
			first[key] = run.Dir
		}
	}
	return found, nil
}

// changes is a hash of what the working tree had changed; that of nothing where it was clean.
func changes(dir string) string {
	diff, _ := os.ReadFile(filepath.Join(dir, "diff.patch")) // absent where the tree was clean
	return fmt.Sprintf("%x", sha256.Sum256(diff))
}
