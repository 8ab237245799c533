package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// One session from data to weights, as the README tells it.
func TestFromDataToWeights(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("tiny.toml", []byte(configuration(".data/demo", 40, 2)), 0o644))
	assert.Contains(t, succeed(t, "data", "planted", "--size", "demo", "--out", ".data/demo"), "written to .data/demo")
	assert.Contains(t, succeed(t, "data", "verify", ".data/demo"), ".data/demo is what was imported")

	stdout, stderr, err := run(t, "train", "tiny.toml", "--backend", "go")
	require.NoError(t, err)
	assert.Contains(t, stderr, "running on pure Go")
	assert.Contains(t, stderr, "writing to runs/tiny-demo-s1111-")
	assert.Equal(t, 2, strings.Count(stderr, "epoch  "), stderr)
	dir := runFolder(t)
	assert.Contains(t, stdout, "run folder: "+dir)
	assertFits80Columns(t, stdout)

	t.Run("the next command that training names works", func(t *testing.T) {
		_, next, ok := strings.Cut(stdout, "next: mmiln ")
		require.True(t, ok)
		assertFits80Columns(t, succeed(t, append(strings.Fields(next), "--backend", "go")...))
	})
	t.Run("eval of valid gives the scores of the run", func(t *testing.T) {
		var result experiment.Result
		require.NoError(t, json.Unmarshal(reader(t, dir).Manifest().Result, &result))
		scores := decoded[metric.Scores](t, "eval", "--run", dir, "--backend", "go")
		assert.InDelta(t, result.Valid.MAE, scores.MAE, 1e-6)
		assert.Equal(t, 80, scores.N)
	})
	t.Run("eval of test is on record", func(t *testing.T) {
		assert.Equal(t, 160, decoded[metric.Scores](t, "eval", "--run", dir, "--split", "test", "--backend", "go").N)
		openings, err := reader(t, dir).Openings()
		require.NoError(t, err)
		require.Len(t, openings, 2, "the run's own and this one")
		assert.Equal(t, "mmiln eval", openings[1].Reason)
	})
	t.Run("predict writes CSV", func(t *testing.T) { checkPredictions(t, dir) })
	t.Run("runs lists the run", func(t *testing.T) { checkRuns(t, dir) })
	t.Run("drift compares pseudo-labels with the truth", func(t *testing.T) {
		assert.Contains(t, succeed(t, "drift", dir), "audio: above y_m at the end in")
		assert.Len(t, decoded[[]driftCurve](t, "drift", dir), 2)
	})
	t.Run("export writes weights and configuration", func(t *testing.T) { checkExport(t, dir) })
}

func assertFits80Columns(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "run folder:") && !strings.HasPrefix(line, "next:") {
			assert.LessOrEqual(t, len([]rune(line)), 81, line)
		}
	}
}

func reader(t *testing.T, dir string) *record.Reader {
	t.Helper()
	r, err := record.Open(dir)
	require.NoError(t, err)
	return r
}

func checkPredictions(t *testing.T, dir string) {
	rows, err := csv.NewReader(strings.NewReader(succeed(t, "predict", "--run", dir, "--backend", "go"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 81)
	assert.Equal(t, []string{"id", "label", "prediction", "audio", "vision"}, rows[0])
	want, err := reader(t, dir).Predictions("valid")
	require.NoError(t, err)
	for i, row := range rows[1:] {
		value, err := strconv.ParseFloat(row[2], 32)
		require.NoError(t, err)
		assert.Equal(t, want[i].ID, row[0])
		assert.InDelta(t, want[i].Value, value, 1e-6)
	}
	assert.Len(t, decoded[[]record.Prediction](t, "predict", "--run", dir, "--backend", "go", "--split", "train"), 320)
}

func checkRuns(t *testing.T, dir string) {
	assert.Regexp(t, filepath.Base(dir)+` +finished +\d+ +\d\.\d+ +\d\.\d+`, succeed(t, "runs"))
	list := decoded[[]record.Summary](t, "runs")
	require.Len(t, list, 1)
	assert.Equal(t, dir, list[0].Dir)
	assert.Equal(t, record.Finished, list[0].Manifest.Status)
	var manifest record.Manifest
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "runs", dir)), &manifest))
	assert.Equal(t, uint64(1111), manifest.Seed)
	assert.Contains(t, succeed(t, "runs", "--group"), "tiny")
	assert.Equal(t, 1, decoded[[]group](t, "runs", "--group")[0].Test.Runs)
}

func checkExport(t *testing.T, dir string) {
	assert.Contains(t, succeed(t, "export", dir, "--out", "weights.safetensors"), "to weights.safetensors, the configuration to weights.toml")
	file, err := safetensors.ReadFile("weights.safetensors")
	require.NoError(t, err)
	assert.Contains(t, file.Tensors, "conv.text.weights")
	c, err := experiment.Load("weights.toml")
	require.NoError(t, err)
	assert.Equal(t, "tiny", c.Name)
	info, err := os.Stat("weights.safetensors")
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o644), info.Mode().Perm(), "others may read it")
}

func TestSeedsAreSummarised(t *testing.T) {
	workplace(t, 1)
	stdout := succeed(t, "train", "tiny.toml", "--seeds", "2", "--seed", "5", "--backend", "go")
	assert.Contains(t, stdout, "tiny, 2 seeds from 5, mean ± standard deviation")
	assertFits80Columns(t, stdout)
	assert.Len(t, decoded[[]experiment.Result](t, "train", "tiny.toml", "--backend", "go"), 1)
	assert.Equal(t, 3, decoded[[]group](t, "runs", "--group")[0].Test.Runs)
}

func TestRunsOfOtherSettingsAreNoSeedsOfTheSame(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	succeed(t, "train", "tiny.toml", "--backend", "go", "--seed", "2")
	succeed(t, "train", "tiny.toml", "--backend", "go", "--set", "mmiln.ablation=no_mrm")
	groups := decoded[[]group](t, "runs", "--group")
	require.Len(t, groups, 2)
	assert.Equal(t, 2, groups[0].Test.Runs)
	assert.Equal(t, 1, groups[1].Test.Runs)
}

func TestFlagsOverrideTheConfiguration(t *testing.T) {
	workplace(t, 1)
	require.NoError(t, os.Rename("set", "a set"))
	succeed(t, "train", "tiny.toml", "--backend", "go", "--data", "a set", "--seed", "3", "--set", "name=other", "--runs", "elsewhere")
	found, err := filepath.Glob("elsewhere/other-set-s3-*")
	require.NoError(t, err)
	require.Len(t, found, 1)
	c, err := experiment.ConfigOf(found[0])
	require.NoError(t, err)
	assert.Equal(t, "a set", c.Data.Dir)
	assert.NoDirExists(t, "runs")
}

func TestResumeElsewhereSaysSo(t *testing.T) {
	workplace(t, 2)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	command := root()
	command.SetArgs([]string{"train", "tiny.toml", "--backend", "go"})
	command.SetErr(io.Discard)
	require.ErrorIs(t, command.ExecuteContext(ctx), experiment.ErrInterrupted)
	path := filepath.Join(runFolder(t), "run.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	moved := strings.Replace(string(text), "pure Go", "XLA, elsewhere", 1)
	require.NoError(t, os.WriteFile(path, []byte(moved), 0o644))

	_, stderr, err := run(t, "resume", runFolder(t), "--backend", "go")
	require.NoError(t, err)
	assert.Contains(t, stderr, "it began on XLA, elsewhere")
	assert.Contains(t, stderr, "; backends differ in the last bits")
	assert.Contains(t, reader(t, runFolder(t)).Manifest().Backend, "; resumed on pure Go")
}

func TestRunsInAnEmptyFolderAreAnEmptyList(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("runs", 0o755))
	assert.Empty(t, decoded[[]record.Summary](t, "runs"))
	assert.Equal(t, "[]\n", succeed(t, "runs", "--json"))
}

func TestDriftLeavesOutTasksThatNotAllRunsHave(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go", "--set", "system=selfmm", "--runs", "a")
	succeed(t, "train", "tiny.toml", "--backend", "go", "--runs", "b")
	dirs, err := filepath.Glob("[ab]/*")
	require.NoError(t, err)
	assert.Len(t, decoded[[]driftCurve](t, "drift", dirs[0]), 3)
	assert.Len(t, decoded[[]driftCurve](t, "drift", dirs[0], dirs[1]), 2)
}

func TestConfigPrintsWhatLoads(t *testing.T) {
	t.Chdir(t.TempDir())
	names := strings.Fields(succeed(t, "config"))
	assert.Equal(t, experiment.Shipped(), names)
	for _, name := range names {
		require.NoError(t, os.WriteFile("copy.toml", []byte(succeed(t, "config", name)), 0o644))
		want, err := experiment.Load(name, "mmiln.layers=2")
		require.NoError(t, err)
		got, err := experiment.Load("copy.toml", "mmiln.layers=2")
		require.NoError(t, err)
		assert.Equal(t, want, got)
		resolved, err := experiment.Parse("resolved", []byte(succeed(t, "config", name, "--resolved", "--set", "mmiln.layers=2")))
		require.NoError(t, err)
		assert.Equal(t, 2, resolved.MMILN.Layers)
	}
}

func TestDoctorSaysWhatItRunsOn(t *testing.T) {
	assert.Contains(t, succeed(t, "doctor"), "ok  program")
	found := map[string]bool{}
	for _, f := range decoded[[]finding](t, "doctor") {
		assert.NotEmpty(t, f.Found, f.What)
		found[f.What] = true
	}
	for _, what := range []string{"program", "SIMD", "XLA plugin", "--backend auto"} {
		assert.True(t, found[what], what)
	}
}

func TestDescribePrintsTheCard(t *testing.T) {
	workplace(t, 1)
	assert.Contains(t, succeed(t, "data", "describe", "set"), "24")
	assert.Equal(t, "set", decoded[map[string]any](t, "data", "describe", "set")["name"])
}

func TestForceReplacesADataSet(t *testing.T) {
	t.Chdir(t.TempDir())
	succeed(t, "data", "planted", "--size", "demo", "--out", "set")
	before, err := os.ReadFile("set/card.json")
	require.NoError(t, err)
	succeed(t, "data", "planted", "--size", "demo", "--seed", "2", "--out", "set", "--force")
	after, err := os.ReadFile("set/card.json")
	require.NoError(t, err)
	assert.NotEqual(t, string(before), string(after))
	assert.NoDirExists(t, "set.fresh")
}
