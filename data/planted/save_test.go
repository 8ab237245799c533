package planted_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
)

// same compares examples that were read with a split in memory.
func same(t *testing.T, want planted.Split, got data.Examples, c planted.Config) {
	t.Helper()
	require.Equal(t, len(want.Infos), got.Len())
	rows := make([]int, got.Len())
	for i := range rows {
		rows[i] = i
		require.Equal(t, want.Infos[i], got.Info(i))
	}
	b, err := got.Batch(rows, c.Length)
	require.NoError(t, err)
	require.Equal(t, want.Sequences, b.Sequences)
}

func TestASavedSetIsTheGeneratedOne(t *testing.T) {
	c := small()
	dir := filepath.Join(t.TempDir(), "planted")
	card, err := c.Save(dir)
	require.NoError(t, err)
	d, sealed, err := data.Open(dir)
	require.NoError(t, err)
	test, err := sealed.Unseal("compare", func(data.Opening) error { return nil })
	require.NoError(t, err)

	want := generate(t, c)
	same(t, want.Train, d.Train, c)
	same(t, want.Valid, d.Valid, c)
	same(t, want.Test, test, c)
	assert.Equal(t, [3]bool{true, true, true}, d.Schema().Unimodal)
	assert.Equal(t, c.Width, d.Schema().Width)

	var noted planted.Config
	require.NoError(t, json.Unmarshal([]byte(card.Source.Note), &noted))
	assert.Equal(t, c, noted)
}

func TestSavingAnInvalidConfigurationLeavesNothing(t *testing.T) {
	c := small()
	c.Train = 0
	dir := filepath.Join(t.TempDir(), "planted")
	_, err := c.Save(dir)
	assert.ErrorContains(t, err, "train has 0 examples")
	assert.NoDirExists(t, dir)
}
