package table

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/statistics"
)

// row is a group as its runs have it.
type row struct {
	Group
	seeds    []Seed
	ids      []string // of the test examples, sorted
	sample   statistics.Sample
	constant metric.Scores
}

// run is one folder.
type run struct {
	Seed
	setup    map[string]string
	test     []record.Prediction // sorted by id
	constant metric.Scores
}

func read(g Group) (*row, error) {
	if len(g.Runs) == 0 && len(g.Paper) == 0 {
		return nil, errors.New("it has neither runs nor scores of the paper")
	}
	for name := range g.Paper {
		if _, err := metric.Better(name); err != nil {
			return nil, fmt.Errorf("the paper's scores: %w", err)
		}
	}
	var runs []run
	for _, dir := range g.Runs {
		found, err := readRun(dir)
		if err != nil {
			return nil, err
		}
		runs = append(runs, found)
	}
	slices.SortStableFunc(runs, func(a, b run) int { return cmp.Compare(a.Seed.Seed, b.Seed.Seed) })
	r := &row{Group: g}
	for i, found := range runs {
		if i > 0 {
			if err := sameButSeed(runs[i-1], found); err != nil {
				return nil, err
			}
		}
		r.add(found)
	}
	return r, nil
}

func (r *row) add(found run) {
	predictions := make([]float64, len(found.test))
	first := len(r.seeds) == 0
	for i, p := range found.test {
		predictions[i] = float64(p.Value)
		if first {
			r.ids, r.sample.Truth = append(r.ids, p.ID), append(r.sample.Truth, float64(p.Label))
		}
	}
	r.constant = found.constant
	r.seeds = append(r.seeds, found.Seed)
	r.sample.Predictions = append(r.sample.Predictions, predictions)
}

func readRun(dir string) (r run, err error) {
	reader, err := record.Open(dir)
	if err != nil {
		return r, err
	}
	m := reader.Manifest()
	if m.Status != record.Finished {
		return r, fmt.Errorf("%s is %s, and a table shows finished runs; resume it: mmiln resume %s", dir, m.Status, dir)
	}
	result, err := experiment.ResultOf(m)
	if err != nil {
		return r, fmt.Errorf("%s: %w", dir, err)
	}
	if r.test, err = reader.Predictions("test"); err != nil {
		return r, err
	}
	slices.SortStableFunc(r.test, func(a, b record.Prediction) int { return strings.Compare(a.ID, b.ID) })
	r.constant, r.Seed = result.Constant, Seed{Run: dir, Seed: m.Seed, Valid: result.Valid}
	if r.Test, err = experiment.Score(r.test); err != nil {
		return r, fmt.Errorf("%s: %w", dir, err)
	}
	r.setup, err = experiment.Setup(m)
	return r, err
}

// sameButSeed says in what two runs of a row differ that they must not.
func sameButSeed(a, b run) error {
	if a.Seed.Seed == b.Seed.Seed {
		return fmt.Errorf("%s and %s have the same seed, %d; give each seed once, or it counts twice", a.Run, b.Run, a.Seed.Seed)
	}
	keys := maps.Clone(a.setup)
	maps.Copy(keys, b.setup)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if a.setup[key] != b.setup[key] {
			return fmt.Errorf("%s and %s differ in %s (%s and %s), and the runs of a row may differ in nothing but their seed; give them rows of their own",
				a.Run, b.Run, key, cmp.Or(a.setup[key], "nothing"), cmp.Or(b.setup[key], "nothing"))
		}
	}
	return sameExamples(a.Run, ids(a.test), labels(a.test), b.Run, ids(b.test), labels(b.test))
}

func ids(rows []record.Prediction) (out []string) {
	for _, p := range rows {
		out = append(out, p.ID)
	}
	return out
}

func labels(rows []record.Prediction) (out []float64) {
	for _, p := range rows {
		out = append(out, float64(p.Label))
	}
	return out
}

// sameExamples says where two test splits differ; ids are sorted.
func sameExamples(a string, idsA []string, labelsA []float64, b string, idsB []string, labelsB []float64) error {
	for i := range min(len(idsA), len(idsB)) {
		if idsA[i] != idsB[i] {
			return fmt.Errorf("%s and %s were tested on different examples: one has %q where the other has %q; compare runs of one data set", a, b, idsA[i], idsB[i])
		}
		if labelsA[i] != labelsB[i] {
			return fmt.Errorf("%s and %s were tested on different labels: %q is %v in one and %v in the other; compare runs of one data set", a, b, idsA[i], labelsA[i], labelsB[i])
		}
	}
	if len(idsA) != len(idsB) {
		return fmt.Errorf("%s was tested on %d examples and %s on %d; compare runs of one data set", a, len(idsA), b, len(idsB))
	}
	return nil
}
