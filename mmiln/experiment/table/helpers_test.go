package table_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// fake is a run folder with predictions made up: labels that depend on data alone, errors of so much noise.
type fake struct {
	name   string
	seed   uint64
	noise  float64
	data   uint64 // another number, other labels
	layers int
	status record.Status
}

const examples = 60

// save writes the folder below root, always under the same name.
func (f fake) save(t *testing.T, root string) string {
	t.Helper()
	c := experiment.Default()
	c.Name, c.Seed, c.MMILN.Layers = f.name, f.seed, max(f.layers, 1)
	config, err := json.Marshal(c)
	require.NoError(t, err)
	r, err := record.Create(root, record.Manifest{
		ID: "id", Name: fmt.Sprintf("%s-s%d", f.name, f.seed), Model: f.name, Seed: f.seed, Config: config, Commit: "c0ffee",
		Created: time.Date(2026, 11, 24, 23, 15, 0, 0, time.UTC), Data: record.Data{Name: "made-up", Card: fmt.Sprint("card", f.data)},
	})
	require.NoError(t, err)
	defer r.Close()
	var result experiment.Result
	for _, split := range []string{"valid", "test"} {
		rows := f.predictions(split)
		require.NoError(t, r.Predictions(split, rows))
		scores, err := experiment.Score(rows)
		require.NoError(t, err)
		if split == "valid" {
			result.Valid = scores
		} else {
			result.Test = scores
		}
		for i := range rows {
			rows[i].Value = 0.5
		}
		result.Constant, err = experiment.Score(rows)
		require.NoError(t, err)
	}
	if f.status == "" {
		f.status = record.Finished
	}
	require.NoError(t, r.Finish(f.status, result, nil))
	return filepath.Join(root, r.Manifest().Name)
}

func (f fake) predictions(split string) []record.Prediction {
	labels := rand.New(rand.NewPCG(f.data, uint64(len(split))))
	errors := rand.New(rand.NewPCG(f.seed, uint64(len(f.name))))
	rows := make([]record.Prediction, examples)
	for i := range rows {
		truth := float64(labels.IntN(31)-15) / 5
		rows[i] = record.Prediction{
			ID: fmt.Sprintf("%s-%03d", split, i), Label: float32(truth), Value: float32(0.8*truth + f.noise*errors.NormFloat64()),
		}
	}
	return rows
}

// saveAll writes one run a seed.
func (f fake) saveAll(t *testing.T, root string, seeds ...uint64) (dirs []string) {
	t.Helper()
	for _, f.seed = range seeds {
		dirs = append(dirs, f.save(t, root))
	}
	return dirs
}
