package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/casestudy"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// trainTwo leaves two configurations of two seeds each in runs.
func trainTwo(t *testing.T) {
	t.Helper()
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go", "--seeds", "2")
	succeed(t, "train", "tiny.toml", "--backend", "go", "--seeds", "2", "--set", "name=bare", "--set", "mmiln.ablation=no_mfm")
}

func runsOf(t *testing.T, name string) []string {
	t.Helper()
	found, err := filepath.Glob("runs/" + name + "-set-s*")
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

func TestCompareShowsWhatDiffersAndTheScores(t *testing.T) {
	trainTwo(t)
	out := succeed(t, "compare", "tiny", "bare", "--resamples", "200")
	assert.Regexp(t, `mmiln.ablation +"none" +"no_mfm"`, out)
	assert.NotContains(t, out, "mmiln.layers")
	assert.Contains(t, out, "tiny, set, 2 seeds")
	assert.Contains(t, out, "minus tiny (d_z ")
	assert.Contains(t, out, "constant predictor, set")

	c := decoded[comparison](t, "compare", "tiny", "bare", "--resamples", "200", "--metrics", "mae,corr")
	require.Len(t, c.Differences, 1)
	assert.Equal(t, difference{"mmiln.ablation", []string{`"none"`, `"no_mfm"`}}, c.Differences[0])
	assert.Equal(t, []string{"mae", "corr"}, c.Table.Metrics)
	assert.NotNil(t, c.Table.Rows[1].Scores[0].Against)
	assert.True(t, strings.HasPrefix(succeed(t, "compare", "tiny", "--format", "latex", "--resamples", "10"), "% needs"))
}

func TestRunsOfOneSetupBecomeARow(t *testing.T) {
	trainTwo(t)
	tiny, bare := runsOf(t, "tiny"), runsOf(t, "bare")
	c := decoded[comparison](t, "compare", tiny[0], bare[0], tiny[1], bare[1], "--resamples", "10")
	require.Len(t, c.Table.Rows, 2)
	assert.Len(t, c.Table.Rows[0].Seeds, 2)
	c = decoded[comparison](t, "compare", tiny[0], tiny[1], "--resamples", "10")
	require.Len(t, c.Table.Rows, 2, "nothing else is left to compare")
	assert.Equal(t, []difference{{"seed", []string{"1111", "1112"}}}, c.Differences)
}

func TestCompareRefusesWhatCannotBeCompared(t *testing.T) {
	trainTwo(t)
	other := small()
	other.Seed = 2
	_, err := other.Save("elsewhere")
	require.NoError(t, err)
	succeed(t, "train", "tiny.toml", "--backend", "go", "--data", "elsewhere", "--set", "name=foreign")
	succeed(t, "train", "tiny.toml", "--backend", "go", "--set", "name=bare", "--set", "mmiln.layers=2")
	_, _, err = run(t, "train", "tiny.toml", "--backend", "go", "--set", "optimiser.other.rate=1e38", "--set", "name=lost")
	require.Error(t, err)
	foreign := runsOf(t, "tiny")[0]
	failAll(t, []wrong{
		{"compare", "requires at least 1 arg(s)"},
		{"compare tinny", "tinny is neither a run folder nor a group of finished runs in runs; groups are: "},
		{"compare bare", "2 groups in runs are called bare; say which: bare@"},
		{"compare tiny --runs nowhere", "tiny is neither a run folder nor, since there is no folder nowhere, a group"},
		{"compare tiny --metrics accuracy", `no metric is called "accuracy"; there are has0_acc2`},
		{"compare tiny --reference bare", `no row with runs is called "bare", to compare with; there are "tiny"`},
		{"compare tiny --format html", `format is "html"; use one of terminal`},
		{"compare tiny foreign", "foreign (on elsewhere) and tiny were tested on different examples"},
		{"compare tiny " + runsOf(t, "lost")[0], "is failed, and a table shows finished runs"},
		{"compare " + foreign + " " + foreign, foreign + " is given twice"},
	})
}

func TestRunsAreFilteredAndSorted(t *testing.T) {
	trainTwo(t)
	names := func(args ...string) (names []string) {
		for _, r := range decoded[[]listed](t, append([]string{"runs"}, args...)...) {
			names = append(names, r.Manifest.Model)
		}
		return names
	}
	assert.Len(t, names(), 4)
	assert.Equal(t, []string{"bare", "bare"}, names("--where", "mmiln.ablation=no_mfm"))
	assert.Len(t, names("--where", "mmiln.ablation=no_mfm", "--where", "seed=1111"), 1)
	assert.Len(t, names("--where", "optimiser.other.rate=0.001"), 4)
	assert.Equal(t, []string{"tiny", "tiny"}, names("--name", "tiny"))
	assert.Empty(t, names("--data", "other"))
	assert.Empty(t, names("--status", "failed"))
	assert.Len(t, names("--since", "1h"), 4)
	assert.Empty(t, names("--since", "2100-01-01"))
	for _, by := range []string{"mae", "valid/corr", "test/mae"} {
		sorted := decoded[[]listed](t, "runs", "--sort", by)
		require.Len(t, sorted, 4)
		for i := range sorted[1:] {
			a, b := scoreOf(t, sorted[i], by), scoreOf(t, sorted[i+1], by)
			assert.True(t, a <= b || by == "valid/corr" && a >= b, "%s: %v before %v", by, a, b)
		}
	}
	assert.Len(t, decoded[[]group](t, "runs", "--group", "--name", "bare"), 1)
	failAll(t, []wrong{
		{"runs --status done", `--status is "done"; use running, finished, interrupted or failed`},
		{"runs --since yesterday", `--since is "yesterday"; give a date such as`},
		{"runs --where layers=2", "--where layers=2: no run has the key layers"},
		{"runs --where layers", `--where "layers": write key=value`},
		{"runs --sort loss", `--sort loss: metric: no metric is called "loss"`},
	})
}

func scoreOf(t *testing.T, run listed, by string) float64 {
	t.Helper()
	var result map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(run.Manifest.Result, &result))
	split, name, found := strings.Cut(by, "/")
	if !found {
		split, name = "valid", by
	}
	var scores map[string]float64
	require.NoError(t, json.Unmarshal(result[split], &scores))
	return scores[name]
}

func TestSinceUnderstandsDatesAndAges(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"2026-11-24": time.Date(2026, 11, 24, 0, 0, 0, 0, time.Local), "36h": now.Add(-36 * time.Hour), "7d": now.Add(-7 * 24 * time.Hour),
		"2026-11-24 10:30": time.Date(2026, 11, 24, 10, 30, 0, 0, time.Local),
	} {
		got, err := (&filter{since: text}).after(now)
		require.NoError(t, err, text)
		assert.True(t, want.Equal(got), text)
	}
}

func TestARepetitionIsMarkedAndCountsOnceInItsGroup(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	first := runFolder(t)
	out := succeed(t, "rerun", first, "--backend", "go")
	assert.Contains(t, out, "every byte is the same")
	for _, name := range append(outputs, "predictions/valid.csv", "gates_examples.csv") {
		assert.Regexp(t, name+` +identical`, out)
	}
	assert.Regexp(t, `weights of the best epoch +identical`, out)
	list := decoded[[]listed](t, "runs")
	require.Len(t, list, 2)
	assert.Empty(t, list[0].DuplicateOf)
	assert.Equal(t, first, list[1].DuplicateOf)
	assert.Contains(t, succeed(t, "runs"), "repeats "+filepath.Base(first))
	groups := decoded[[]group](t, "runs", "--group")
	require.Len(t, groups, 1)
	assert.Equal(t, 1, groups[0].Test.Runs)
	assert.Equal(t, 1, groups[0].Repeated)
	c := decoded[comparison](t, "compare", first, list[1].Dir, "--resamples", "10")
	assert.Zero(t, float64(c.Table.Rows[1].Scores[0].Against.Value))
	assert.Empty(t, c.Differences)
}

func TestARepetitionThatDiffersSaysWhereAndExitsWithOne(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	dir := runFolder(t)
	replaceIn(t, filepath.Join(dir, "predictions/test.csv"), "test-00003,", "test-00003,1")
	replaceIn(t, filepath.Join(dir, "run.json"), `"go": "`, `"go": "another `)
	replaceIn(t, filepath.Join(dir, "run.json"), `"backend": "`, `"backend": "not `)
	stdout, stderr, err := run(t, "rerun", dir, "--backend", "go", "--runs", "again")
	require.ErrorIs(t, err, errDiffers)
	assert.Equal(t, 1, exitCode(err))
	assert.Contains(t, err.Error(), "again/tiny-set-s1111-")
	assert.Regexp(t, `predictions/test.csv +differs from line 5 of 9`, stdout)
	assert.Regexp(t, `metrics.jsonl +identical`, stdout)
	assert.Regexp(t, `\(Go\) +another go1`, stdout)
	assert.Contains(t, stderr, dir+" ran on not pure Go")
}

func replaceIn(t *testing.T, path, old, with string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := strings.Replace(string(text), old, with, 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
}

func TestRerunRefusesWhatCannotBeRepeated(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	dir := runFolder(t)
	other := small()
	other.Seed = 2
	_, err := other.Save("elsewhere")
	require.NoError(t, err)
	failAll(t, []wrong{
		{"rerun nowhere --backend go", "nowhere/run.json"},
		{"rerun " + dir + " --backend go --data elsewhere", "elsewhere holds other data ("},
		{"rerun " + dir + " --backend go --data gone", "gone: it is not the folder of a data set"},
	})
	array := "set/train.audio.npy"
	content, err := os.ReadFile(array)
	require.NoError(t, err)
	content[len(content)-1] ^= 1
	require.NoError(t, os.WriteFile(array, content, 0o644))
	fail(t, "set/train.audio.npy has SHA-256", "rerun", dir, "--backend", "go")
	replaceIn(t, filepath.Join(dir, "run.json"), `"status": "finished"`, `"status": "failed"`)
	fail(t, dir+" is failed: there is nothing to compare with", "rerun", dir, "--backend", "go")
	assert.Equal(t, dir, runFolder(t), "nothing was begun")
}

func TestCasestudyShowsExamplesThroughModels(t *testing.T) {
	trainTwo(t)
	a, b := runsOf(t, "tiny")[0], runsOf(t, "bare")[0]
	out := succeed(t, "casestudy", "--backend", "go", "--run", a, "--run", b, "--id", "train-00001", "--id", "test-00002")
	assert.Contains(t, out, "A: tiny, seed 1111, epoch 1, on set")
	assert.Contains(t, out, "A: the model was trained on this very example: its prediction is no evidence of anything")
	assert.Contains(t, out, "layer 1 sag vision")
	assert.Contains(t, succeed(t, "casestudy", "--backend", "go", "--run", a), "none was found; name utterances of this data with --id or --text")
	r := decoded[casestudy.Result](t, "casestudy", "--backend", "go", "--run", a, "--id", "test-00002")
	require.Len(t, r.Cases, 1)
	assert.Len(t, r.Cases[0].Views[0].Attention, 6)
	openings, err := reader(t, a).Openings()
	require.NoError(t, err)
	assert.Equal(t, "mmiln casestudy", openings[len(openings)-1].Reason)
	failAll(t, []wrong{
		{"casestudy", `required flag(s) "run" not set`},
		{"casestudy --backend go --run nowhere", "nowhere/run.json"},
		{"casestudy --backend go --audio a.npy --run " + a, "--audio and --vision are features of --sentence; write the sentence too"},
		{"casestudy --backend go --sentence good --run " + a, a + ": this run reads the data set's text features"},
		{"casestudy --backend go --run " + a + " --id nobody", `no data set of these runs has an example "nobody"`},
	})
}

func TestARunKnowsMachineAndEnd(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	m := reader(t, runFolder(t)).Manifest()
	assert.False(t, m.Ended.Before(m.Created))
	assert.Positive(t, m.Host.CPUs)
	assert.NotEmpty(t, m.Data.Arrays)
	assert.NotEmpty(t, m.Commit)
	assert.Positive(t, m.Cost.CPUSeconds)
	assert.Positive(t, m.Cost.PeakRSSMB)
	assert.Equal(t, record.Finished, m.Status)
}
