package experiment_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

func TestASetupKnowsNeitherSeedNorNameNorPlace(t *testing.T) {
	setup := func(change func(*experiment.Config)) map[string]string {
		c := experiment.Default()
		change(&c)
		text, err := json.Marshal(c)
		require.NoError(t, err)
		found, err := experiment.Setup(record.Manifest{Config: text, Data: record.Data{Card: "ab"}})
		require.NoError(t, err)
		return found
	}
	want := setup(func(*experiment.Config) {})
	assert.Equal(t, "ab", want["data_sha256"])
	assert.Equal(t, want, setup(func(c *experiment.Config) {
		c.Seed, c.Name, c.Data.Dir, c.Expect = 7, "other", "elsewhere", map[string]float64{"mae": 1}
	}))
	assert.NotEqual(t, want, setup(func(c *experiment.Config) { c.MMILN.Layers++ }))
}

func TestAKeyThatARunIsTooOldToHaveIsItsDefault(t *testing.T) {
	text, err := json.Marshal(experiment.Default())
	require.NoError(t, err)
	old := strings.Replace(string(text), `"buckets":1`, `"bucket":1`, 1)
	require.NotEqual(t, string(text), old)
	found, err := experiment.Settings(record.Manifest{Config: json.RawMessage(old)})
	require.NoError(t, err)
	assert.Equal(t, "1", found["data.buckets"])
	_, err = experiment.Settings(record.Manifest{Name: "r", Config: json.RawMessage(`{"seed": "x"}`)})
	assert.ErrorContains(t, err, "the configuration in run.json of r")
}
