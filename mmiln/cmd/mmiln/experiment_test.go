package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/study"
)

// laboratory is a workplace with an experiment of two rows with two seeds, whose processes are this test's own program.
func laboratory(t *testing.T, epochs int, more string) {
	t.Helper()
	workplace(t, epochs)
	t.Setenv(asProgram, "1")
	require.NoError(t, os.WriteFile("two.toml", []byte(`title = "Two rows"
seeds = [1, 2]
[[data]]
name = "set"
dir = "set"
paper = "MOSI"
[[model]]
name = "MMILN"
config = "tiny.toml"
[[variant]]
name = "full"
paper = {table = 2, row = "MMILN"}
[[variant]]
name = "no mrm"
paper = {table = 3, row = "-MRM"}
set = {mmiln.ablation = "no_mrm"}
`+more), 0o644))
}

const twoTrials = `
[tune]
method = "random"
trials = 2
[tune.sweep]
optimiser.other.rate = {low = 1e-4, high = 1e-2, log = true}
`

func runTwo(t *testing.T, out string) string {
	t.Helper()
	return succeed(t, "experiment", "run", "two.toml", "--backend", "go", "--out", out)
}

func statusOf(t *testing.T, dir string) study.Status {
	t.Helper()
	return decoded[study.Status](t, "experiment", "status", dir)
}

func TestAnExperimentRunsFromOneFileToATable(t *testing.T) {
	laboratory(t, 1, "")
	stdout := runTwo(t, "runs/two")
	assert.Contains(t, stdout, "2 finished")
	assert.Contains(t, stdout, "next: mmiln experiment table runs/two")
	status := statusOf(t, "runs/two")
	assert.Equal(t, map[record.Status]int{record.Finished: 4}, status.Counts())
	for _, row := range status.Rows {
		for _, run := range row.Runs {
			openings, err := reader(t, run.Dir).Openings()
			require.NoError(t, err)
			assert.Len(t, openings, 1, "the test split is opened once")
			assert.Equal(t, run.Seed, reader(t, run.Dir).Manifest().Seed)
		}
	}
	for _, format := range []string{"terminal", "markdown", "latex", "csv", "json"} {
		text := succeed(t, "experiment", "table", "runs/two", "--format", format)
		assert.Contains(t, text, "full", format)
		assert.Contains(t, text, "Table 3, MOSEI", format)
	}
	assert.Contains(t, succeed(t, "experiment", "compare", "runs/two", "no-mrm", "full"), "no mrm")

	before := snapshotOf(t, "runs/two/runs")
	succeed(t, "experiment", "resume", "runs/two")
	assert.Equal(t, before, snapshotOf(t, "runs/two/runs"), "nothing is left to do")
}

// snapshotOf is each file's time and size.
func snapshotOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			files[path] = fmt.Sprint(info.ModTime(), info.Size())
		}
		return err
	}))
	return files
}

func TestASearchNeverOpensTheTestSplitAndItsChoiceIsTestedOnce(t *testing.T) {
	laboratory(t, 1, twoTrials)
	runTwo(t, "runs/two")
	trials, err := filepath.Glob("runs/two/trials/*/*/run.json")
	require.NoError(t, err)
	assert.Len(t, trials, 4, "two of each row")
	opened, err := filepath.Glob("runs/two/trials/*/*/opened.jsonl")
	require.NoError(t, err)
	assert.Empty(t, opened)

	status := statusOf(t, "runs/two")
	assert.Equal(t, map[record.Status]int{record.Finished: 4}, status.Counts())
	s, err := study.Open("runs/two")
	require.NoError(t, err)
	all, err := s.Trials()
	require.NoError(t, err)
	require.Len(t, all, 4)
	for i, row := range status.Rows {
		first, second := all[2*i], all[2*i+1]
		if second.Score < first.Score {
			first = second
		}
		assert.Contains(t, row.Search, "random, 2 trials, valid MAE "+fmt.Sprintf("%.3f", float64(first.Score)))
		assert.Contains(t, row.Search, "chosen "+first.Settings[0])
		for _, run := range row.Runs {
			text, err := os.ReadFile(filepath.Join(run.Dir, "run.json"))
			require.NoError(t, err)
			_, rate, _ := strings.Cut(first.Settings[0], "=")
			assert.Contains(t, string(text), `"rate": `+rate)
		}
	}
	assert.Contains(t, succeed(t, "experiment", "table", "runs/two"), "searched on validation: random")
}

func epochs(s study.Status) (n int) {
	for _, row := range s.Rows {
		for _, run := range row.Runs {
			n += run.Epoch
		}
	}
	return n
}

func TestAnInterruptedExperimentSavesItsRunsAndSaysHowToGoOn(t *testing.T) {
	laboratory(t, 60, "")
	p := start(t, "experiment", "run", "two.toml", "--backend", "go", "--out", "two")
	p.await("begins")
	require.Eventually(t, func() bool { return epochs(statusOf(t, "two")) > 0 }, 30*time.Second, 5*time.Millisecond)
	require.NoError(t, p.command.Process.Signal(os.Interrupt))
	last, code := p.end()
	assert.Equal(t, 130, code)
	assert.Equal(t, "mmiln: interrupted; everything is saved, go on with: mmiln experiment resume two", last)
	assert.NotZero(t, statusOf(t, "two").Counts()[record.Interrupted])
	assert.Empty(t, statusOf(t, "two").Worker)
}

func TestAFailureStopsNoOtherRunAndIsShownWithItsLog(t *testing.T) {
	laboratory(t, 1, "[[variant]]\nname = \"wild\"\nset = {optimiser.other.rate = 1e38}\n")
	stdout, stderr, err := run(t, "experiment", "run", "two.toml", "--backend", "go", "--out", "two")
	require.ErrorContains(t, err, "1 processes failed; when the cause is gone: mmiln experiment resume two")
	assert.Contains(t, stderr, "lower the learning rates")
	assert.Contains(t, stderr, "log: two/logs/mmiln-wild-set-s1.log")
	assert.Contains(t, stdout, "2 failed", "the second seed was tried too")
	assert.Equal(t, map[record.Status]int{record.Finished: 4, record.Failed: 2}, statusOf(t, "two").Counts())
}

func TestASecondProcessOnAnExperimentIsToldOfTheFirst(t *testing.T) {
	laboratory(t, 60, "")
	p := start(t, "experiment", "run", "two.toml", "--backend", "go", "--out", "two")
	p.await("begins")
	_, _, err := run(t, "experiment", "resume", "two")
	assert.ErrorContains(t, err, fmt.Sprintf("process %d works on two; wait for it or stop it", p.command.Process.Pid))
	assert.Equal(t, fmt.Sprint(p.command.Process.Pid), statusOf(t, "two").Worker)
	_, _, err = run(t, "experiment", "run", "two.toml", "--out", "two")
	assert.ErrorContains(t, err, "two holds an experiment already; go on with it by mmiln experiment resume two")
	require.NoError(t, p.command.Process.Signal(os.Interrupt))
	p.end()
}

func TestAnExperimentThatCannotBeSaysWhatToDo(t *testing.T) {
	laboratory(t, 1, "")
	require.NoError(t, os.Mkdir("full", 0o755))
	require.NoError(t, os.WriteFile("full/file", nil, 0o644))
	source, err := os.ReadFile("two.toml")
	require.NoError(t, err)
	write := func(name, old, with string) {
		require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(source), old, with, 1)), 0o644))
	}
	write("typo.toml", "seeds", "seed")
	write("model.toml", "tiny.toml", "tyni.toml")
	write("nodata.toml", `dir = "set"`, `dir = "nowhere"`)
	failAll(t, []wrong{
		{"experiment nonsense", `unknown command "nonsense" for "mmiln experiment"`},
		{"experiment run nonsense", `no experiment "nonsense": give a TOML file or one of figure4, `},
		{"experiment run typo.toml", `typo.toml, line 2, column 1: unknown key seed, did you mean "seeds"?`},
		{"experiment run model.toml", `no configuration "tyni.toml"`},
		{"experiment run two.toml --seeds 1,1", "seeds lists 1 twice"},
		{"experiment run two.toml --out full", "full is there and is no experiment's folder"},
		{"experiment run two.toml --out tiny.toml/x", "a file stands where a folder should be"},
		{"experiment run nodata.toml --out nodata", "there is no data set at nowhere; make it with: mmiln data import FILE --out nowhere"},
		{"experiment resume full", "full is no experiment's folder: it has no experiment.json"},
		{"experiment status tiny.toml", "tiny.toml is no experiment's folder"},
		{"experiment table nodata", "no run has finished yet"},
		{"experiment compare nodata full half", `no row is called "half"; there are "full", "no mrm"`},
	})
	left, err := filepath.Glob(".*partial*")
	require.NoError(t, err)
	assert.Empty(t, left, "nothing half-written is left")
	if os.Geteuid() == 0 {
		return // root may write everywhere
	}
	require.NoError(t, os.Mkdir("locked", 0o555))
	fail(t, "(choose a folder that you may write to, or change its permissions)", "experiment", "run", "two.toml", "--out", "locked/two")
}

func TestADamagedExperimentIsNamed(t *testing.T) {
	laboratory(t, 1, "")
	runTwo(t, "two")
	require.NoError(t, os.WriteFile("two/trials.jsonl", []byte("{\n"), 0o644))
	fail(t, "two/trials.jsonl, line 1", "experiment", "status", "two")
	require.NoError(t, os.Remove("two/trials.jsonl"))
	require.NoError(t, os.WriteFile("two/experiment.json", []byte("{"), 0o644))
	fail(t, "two/experiment.json is damaged", "experiment", "status", "two")
}

func TestAnExperimentCanBeReadWithoutItsDataAndNotGoOnWithOthers(t *testing.T) {
	laboratory(t, 1, "")
	runTwo(t, "two")
	other := small()
	other.Seed = 2
	require.NoError(t, os.RemoveAll("set"))
	require.NoError(t, os.Rename("two", "moved"))
	assert.Equal(t, map[record.Status]int{record.Finished: 4}, statusOf(t, "moved").Counts())
	assert.Contains(t, succeed(t, "experiment", "table", "moved"), "no mrm")
	_, err := other.Save("set")
	require.NoError(t, err)
	fail(t, "set is not the data set that moved began with", "experiment", "resume", "moved")
}

func TestTheListOfExperimentsSaysWhatEachReproducesAndCosts(t *testing.T) {
	text := succeed(t, "experiment", "list")
	for _, name := range strings.Fields("table2 table3 table4 figure4 readings") {
		assert.Contains(t, text, name+"\n")
		assert.Contains(t, text, name+"-planted\n")
	}
	assert.Contains(t, text, "reproduces")
	assert.Contains(t, text, "left out    R6: ")
	assert.Contains(t, succeed(t, "experiment", "list", "figure4"), "[[variant]]")
}

func TestAStatusIsJSONForScripts(t *testing.T) {
	laboratory(t, 1, "")
	_, _, err := run(t, "experiment", "run", "two.toml", "--backend", "nonsense", "--out", "two")
	require.Error(t, err)
	var status map[string]any
	require.NoError(t, json.Unmarshal([]byte(succeed(t, "experiment", "status", "two", "--json")), &status))
	assert.Len(t, status["rows"], 2)
}
