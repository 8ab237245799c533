package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReportWritesOneFileAboutRuns(t *testing.T) {
	workplace(t, 2)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	assert.Contains(t, succeed(t, "report", "runs", "--out", "r.html", "--backend", "go"), "wrote r.html")
	page, err := os.ReadFile("r.html")
	require.NoError(t, err)
	for _, wanted := range []string{"<title>MMILN: report</title>", "Gates along one example", "Losses over epochs", "mmiln.readings.kernel"} {
		assert.Contains(t, string(page), wanted)
	}
}

func TestReportWithoutTheDataSaysWhatIsNotShown(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	require.NoError(t, os.RemoveAll("set"))
	_, stderr, err := run(t, "report", "runs", "--out", "r.html", "--backend", "go")
	require.NoError(t, err)
	assert.Contains(t, stderr, "No single examples are shown")
}

func TestReportLeavesNothingBehindWhereItFails(t *testing.T) {
	t.Chdir(t.TempDir())
	_, _, err := run(t, "report", ".", "--out", "r.html")
	assert.ErrorContains(t, err, ". holds no run; give run folders, such as runs/*")
	_, _, err = run(t, "report", "runs", "--out", "r.html")
	assert.Error(t, err)
	left, err := os.ReadDir(".")
	require.NoError(t, err)
	assert.Empty(t, left)
}
