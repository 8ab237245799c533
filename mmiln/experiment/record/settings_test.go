package record_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/record"
)

const nested = `{"name": "x", "seed": 3, "expect": {"mae": 1}, "data": {"dir": "d", "buckets": 2}, "mmiln": {"drop": null, "head": {"width": 1e-3}}}`

func TestSettingsAreFlat(t *testing.T) {
	got, err := record.Manifest{Config: json.RawMessage(nested)}.Settings()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{
		"name": `"x"`, "seed": "3", "expect.mae": "1", "data.dir": `"d"`, "data.buckets": "2", "mmiln.drop": "[]", "mmiln.head.width": "1e-3",
	}, got)
}

func TestASetupKnowsNeitherSeedNorPlace(t *testing.T) {
	got, err := record.Manifest{Config: json.RawMessage(nested), Data: record.Data{Card: "ab"}}.Setup()
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"data.buckets": "2", "mmiln.drop": "[]", "mmiln.head.width": "1e-3", "data_sha256": "ab"}, got)
}

func TestADamagedConfigurationIsAnError(t *testing.T) {
	_, err := record.Manifest{Name: "r", Config: json.RawMessage(`{"a": {`)}.Settings()
	assert.ErrorContains(t, err, "the configuration in run.json of r")
}
