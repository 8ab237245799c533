package record_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/mmiln/experiment/record"
)

var manifest = record.Manifest{
	Model: "MMILN", Seed: 1111, Data: record.Data{Name: "planted", Dir: "/data/planted", Card: "ab", Arrays: map[string]string{"text.npy": "cd"}},
	Created: time.Date(2026, 11, 24, 23, 15, 0, 0, time.UTC), Config: json.RawMessage(`{"layers": 3}`), Commit: "c0ffee", Backend: "go",
}

func create(t *testing.T) *record.Run {
	t.Helper()
	r, err := record.Create(filepath.Join(t.TempDir(), "runs"), manifest)
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r
}

func open(t *testing.T, dir string) *record.Reader {
	t.Helper()
	r, err := record.Open(dir)
	require.NoError(t, err)
	return r
}

// write puts content at the end of one of a run's files, behind the writer's back.
func write(t *testing.T, dir, name, content string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(dir, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	require.NoError(t, err)
	_, err = file.WriteString(content)
	require.NoError(t, errors.Join(err, file.Close()))
}

func TestCreateNamesTheRunAndDescribesIt(t *testing.T) {
	m := create(t).Manifest()
	assert.Equal(t, "mmiln-planted-s1111-20261124-231500", m.Name)
	assert.Equal(t, record.Running, m.Status)
	assert.Equal(t, os.Getpid(), m.PID)
	assert.Equal(t, os.Args, m.Argv)
	assert.NotEmpty(t, m.ID)
	assert.NotEmpty(t, m.Go)
	assert.Positive(t, m.Host.CPUs)
}

func TestASecondRunOfTheSameSecondGetsAnotherName(t *testing.T) {
	root := t.TempDir()
	for _, want := range []string{"r", "r-2", "r-3"} {
		r, err := record.Create(root, record.Manifest{Name: "r", Commit: "c"})
		require.NoError(t, err)
		defer r.Close()
		assert.Equal(t, want, r.Manifest().Name)
		assert.Equal(t, filepath.Join(root, want), r.Dir())
	}
}

func TestANameThatLeavesTheRootIsRefused(t *testing.T) {
	for _, name := range []string{"../r", "a/b", ".hidden", "a\nb", " ", strings.Repeat("n", 300)} {
		_, err := record.Create(t.TempDir(), record.Manifest{Name: name, Commit: "c"})
		assert.ErrorContains(t, err, "cannot name a run", name)
	}
}

func TestManifestReadsBackAsWritten(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Finish(record.Failed, map[string]any{"best_epoch": 7}, errors.New("loss is NaN")))
	want := r.Manifest()
	require.NoError(t, r.Close())
	got := open(t, r.Dir()).Manifest()
	assert.Equal(t, record.Failed, got.Status)
	assert.Equal(t, "loss is NaN", got.Error)
	assert.JSONEq(t, `{"best_epoch": 7}`, string(got.Result))
	assert.JSONEq(t, `{"layers": 3}`, string(got.Config))
	got.Result, got.Config = want.Result, want.Config
	assert.Equal(t, want, got)
}

func TestAStatusThatCouldNotBeReadBackIsNotWritten(t *testing.T) {
	r := create(t)
	assert.ErrorContains(t, r.Finish("done", nil, nil), "it must be running, finished, interrupted or failed")
	assert.Equal(t, record.Running, open(t, r.Dir()).Manifest().Status)
}

func TestConfigIsKeptByteForByte(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Config([]byte("# as given\nlayers = 3\n")))
	got, err := open(t, r.Dir()).Config()
	require.NoError(t, err)
	assert.Equal(t, "# as given\nlayers = 3\n", string(got))
}

func TestScalarsReadBackAndNaNStaysNaN(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Scalars(1, map[string]float64{"train/loss": 0.1, "valid/corr": math.NaN(), "valid/mae": math.Inf(1)}))
	got, err := open(t, r.Dir()).Metrics()
	require.NoError(t, err)
	require.Len(t, got, 1)
	assert.Equal(t, 1, got[0].Epoch)
	assert.Equal(t, record.Number(0.1), got[0].Values["train/loss"])
	assert.True(t, math.IsNaN(float64(got[0].Values["valid/corr"])))
	assert.True(t, math.IsNaN(float64(got[0].Values["valid/mae"])))
}

type gate struct {
	Epoch int     `json:"epoch"`
	Layer int     `json:"layer"`
	Mean  float64 `json:"mean"`
}

func TestStreamsReadBackAsWritten(t *testing.T) {
	r := create(t)
	want := []gate{{1, 1, 0.5}, {1, 2, 0.25}, {2, 1, 0.125}}
	for _, line := range want {
		require.NoError(t, r.Append(record.Gates, line))
	}
	got, err := record.Read[gate](open(t, r.Dir()), record.Gates)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestAStreamThatTheRunLacksIsEmpty(t *testing.T) {
	got, err := record.Read[gate](open(t, create(t).Dir()), record.Gates)
	assert.NoError(t, err)
	assert.Empty(t, got)
}

func TestAppendRefusesWhatCouldNotBeRewound(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Append(record.ULGM, gate{Epoch: 3}))
	for want, line := range map[string]any{
		`needs an "epoch"`:               map[string]int{"layer": 1},
		"not negative":                   gate{Epoch: -1},
		"is at epoch 3":                  gate{Epoch: 2},
		"record.Number for what may":     gate{Epoch: 4, Mean: math.NaN()},
		"cannot unmarshal string into":   map[string]string{"epoch": "4"},
		"cannot unmarshal number 4.5":    map[string]float64{"epoch": 4.5},
		"json: cannot unmarshal array i": []int{4},
	} {
		assert.ErrorContains(t, r.Append(record.ULGM, line), want)
	}
	got, err := record.Read[gate](open(t, r.Dir()), record.ULGM)
	require.NoError(t, err)
	assert.Equal(t, []gate{{Epoch: 3}}, got)
}

func TestAStreamCannotBeAnotherFile(t *testing.T) {
	r := create(t)
	for _, name := range []record.Stream{"run.json", "opened.jsonl", "../x.jsonl", "a/b.jsonl", "pseudo_labels.csv", ""} {
		assert.ErrorContains(t, r.Append(name, gate{Epoch: 1}), "cannot name a stream", name)
	}
}

func TestAppendFromManyGoroutinesKeepsLinesWhole(t *testing.T) {
	r := create(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for layer := range 50 {
				assert.NoError(t, r.Append(record.Gates, gate{1, layer, 0.5}))
			}
		})
	}
	group.Wait()
	got, err := record.Read[gate](open(t, r.Dir()), record.Gates)
	require.NoError(t, err)
	assert.Len(t, got, 400)
}

func collect[T any](seq func(func(T, error) bool)) (rows []T, err error) {
	for row, err := range seq {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func TestPseudoLabelsReadBackAsWritten(t *testing.T) {
	cell := rapid.OneOf(rapid.StringMatching(`[A-Za-z0-9_$-]{0,12}`), rapid.StringMatching(`[ ,"';é]{0,5}`))
	row := rapid.Custom(func(t *rapid.T) record.PseudoLabel {
		return record.PseudoLabel{
			Split: cell.Draw(t, "split"), ID: cell.Draw(t, "id"), Task: cell.Draw(t, "task"),
			Label: rapid.Float32().Draw(t, "label"), Human: rapid.Float32().Draw(t, "human"),
		}
	})
	r, epoch := create(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		epoch++
		want := rapid.SliceOfN(row, 1, 5).Draw(rt, "rows")
		for i := range want {
			want[i].Epoch = epoch
		}
		require.NoError(t, r.PseudoLabels(want))
		all, err := collect(open(t, r.Dir()).PseudoLabels())
		require.NoError(t, err)
		assert.Equal(t, want, all[len(all)-len(want):])
	})
}

func TestGateExamplesReadBackAsWritten(t *testing.T) {
	r := create(t)
	want := []record.GateExample{{1, "a$_$1", "layer1/audio/g_r", 0.1}, {1, "a$_$2", "layer1/audio/g_r", 0.9}}
	require.NoError(t, r.GateExamples(want))
	got, err := collect(open(t, r.Dir()).GateExamples())
	require.NoError(t, err)
	assert.Equal(t, want, got)
	text, err := os.ReadFile(filepath.Join(r.Dir(), "gates_examples.csv"))
	require.NoError(t, err)
	assert.Equal(t, "epoch,id,gate,mean\n1,a$_$1,layer1/audio/g_r,0.1\n1,a$_$2,layer1/audio/g_r,0.9\n", string(text))
}

func TestRowsOfTwoEpochsInOneCallAreRefused(t *testing.T) {
	err := create(t).GateExamples([]record.GateExample{{Epoch: 1}, {Epoch: 2}})
	assert.ErrorContains(t, err, "epochs 1 and 2")
}

func TestALineBreakInAnIdentifierIsRefused(t *testing.T) {
	r := create(t)
	assert.ErrorContains(t, r.GateExamples([]record.GateExample{{Epoch: 1, ID: "a\nb"}}), "has a line break")
	assert.ErrorContains(t, r.Predictions("test", []record.Prediction{{ID: "a\rb"}}), "has a line break")
}

func TestPredictionsReadBackAsWritten(t *testing.T) {
	r := create(t)
	want := []record.Prediction{
		{ID: `say "no", twice`, Label: -1.6, Value: -0.1, Tasks: map[string]float32{"vision": 0.5, "audio": -3}},
		{ID: "b", Label: 2, Value: float32(math.Inf(1)), Tasks: map[string]float32{"vision": 1e-30, "audio": 0}},
	}
	require.NoError(t, r.Predictions("valid", want[:1]))
	require.NoError(t, r.Predictions("valid", want))
	got, err := open(t, r.Dir()).Predictions("valid")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestPredictionsOfOneTaskHaveThreeColumns(t *testing.T) {
	r := create(t)
	want := []record.Prediction{{ID: "a", Label: 1, Value: 2}}
	require.NoError(t, r.Predictions("test", want))
	text, err := os.ReadFile(filepath.Join(r.Dir(), "predictions", "test.csv"))
	require.NoError(t, err)
	assert.Equal(t, "id,label,prediction\na,1,2\n", string(text))
	got, err := open(t, r.Dir()).Predictions("test")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestPredictionsRefuseRowsOfOtherTasks(t *testing.T) {
	r := create(t)
	first := record.Prediction{ID: "a", Tasks: map[string]float32{"audio": 1}}
	for _, tasks := range []map[string]float32{nil, {"vision": 1}, {"audio": 1, "vision": 1}} {
		err := r.Predictions("test", []record.Prediction{first, {ID: "b", Tasks: tasks}})
		assert.ErrorContains(t, err, `"b" has predictions for other tasks`)
	}
	_, err := open(t, r.Dir()).Predictions("test")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestASecondWriterIsRefusedByNameOfTheFirst(t *testing.T) {
	r := create(t)
	_, err := record.Resume(r.Dir())
	assert.ErrorContains(t, err, fmt.Sprintf("is being written by process %d", os.Getpid()))
	require.NoError(t, r.Close())
	again, err := record.Resume(r.Dir())
	require.NoError(t, err)
	assert.Len(t, again.Manifest().Resumed, 1)
	require.NoError(t, again.Close())
}

func TestAClosedRunIsNotWritten(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Close())
	assert.ErrorContains(t, r.Append(record.Gates, gate{Epoch: 1}), "was closed")
	assert.ErrorContains(t, r.Finish(record.Finished, nil, nil), "was closed")
	assert.ErrorContains(t, r.Predictions("test", nil), "was closed")
	assert.ErrorContains(t, r.Config(nil), "was closed")
	assert.ErrorContains(t, r.Rewind(0), "was closed")
}

func TestARunWithoutALivingWriterIsShownAsInterrupted(t *testing.T) {
	r := create(t)
	assert.Equal(t, record.Running, open(t, r.Dir()).Manifest().Status)
	require.NoError(t, r.Close())
	assert.Equal(t, record.Interrupted, open(t, r.Dir()).Manifest().Status)
	require.NoError(t, os.Remove(filepath.Join(r.Dir(), "lock")))
	assert.Equal(t, record.Interrupted, open(t, r.Dir()).Manifest().Status, "a copy without its lock")
}

func TestOpeningsSurviveRewind(t *testing.T) {
	r := create(t)
	want := record.Opening{Time: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC), Split: "test", Reason: "final scores", SHA256: "ab"}
	require.NoError(t, r.Opened(want))
	require.NoError(t, r.Opened(record.Opening{Split: "test", Reason: "again"}))
	require.NoError(t, r.Rewind(0))
	got, err := open(t, r.Dir()).Openings()
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, want, got[0])
	assert.WithinDuration(t, time.Now(), got[1].Time, time.Minute)
}

func TestAnOpeningLoggedAfterTheRunChangesNothingElse(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Opened(record.Opening{Split: "test", Reason: "final scores"}))
	assert.ErrorContains(t, record.LogOpening(r.Dir(), record.Opening{}), "is being written by")
	require.NoError(t, r.Finish(record.Finished, nil, nil))
	require.NoError(t, r.Close())
	before := open(t, r.Dir()).Manifest()
	write(t, r.Dir(), "opened.jsonl", `{"time":"2026-`)
	require.NoError(t, record.LogOpening(r.Dir(), record.Opening{Split: "test", Reason: "predict"}))
	got, err := open(t, r.Dir()).Openings()
	require.NoError(t, err)
	require.Len(t, got, 2)
	assert.Equal(t, "predict", got[1].Reason)
	assert.Equal(t, before, open(t, r.Dir()).Manifest())
}

func TestCostGrowsOverAllWriters(t *testing.T) {
	r := create(t)
	require.NoError(t, r.Update(func(m *record.Manifest) { m.Cost = record.Cost{CPUSeconds: 100, WallSeconds: 200, PeakRSSMB: 1e6} }))
	require.NoError(t, r.Close())
	r, err := record.Resume(r.Dir())
	require.NoError(t, err)
	defer r.Close()
	for begun := time.Now(); time.Since(begun) < 20*time.Millisecond; {
	}
	require.NoError(t, r.Finish(record.Finished, nil, nil))
	cost := open(t, r.Dir()).Manifest().Cost
	assert.InDelta(t, 200.02, cost.WallSeconds, 5)
	assert.Greater(t, cost.WallSeconds, 200.02)
	assert.Greater(t, cost.CPUSeconds, 100.0)
	assert.Equal(t, 1e6, cost.PeakRSSMB)
}

func TestUsageIsThatOfThisProcess(t *testing.T) {
	use := record.Usage()
	assert.Positive(t, use.WallSeconds)
	assert.Positive(t, use.CPUSeconds)
	assert.Greater(t, use.PeakRSSMB, 1.0)
	assert.Less(t, use.PeakRSSMB, 1e5)
}

func TestListFindsRunsAtAnyDepthNewestLastAndReportsBrokenOnes(t *testing.T) {
	root := t.TempDir()
	for i, where := range []string{"grid/a", ".", "grid/b"} {
		r, err := record.Create(filepath.Join(root, where), record.Manifest{Name: "r", Commit: "c", Created: manifest.Created.Add(-time.Duration(i) * time.Hour)})
		require.NoError(t, err)
		require.NoError(t, r.Close())
	}
	write(t, filepath.Join(root, "grid/b/r"), "run.json", "}")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "no/run/here"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "early"), 0o755))
	write(t, filepath.Join(root, "early"), "lock", "")

	runs, err := record.List(root)
	assert.ErrorContains(t, err, filepath.FromSlash("grid/b/r/run.json")+" is damaged")
	assert.ErrorContains(t, err, filepath.FromSlash("early/run.json"))
	require.Len(t, runs, 2)
	assert.Equal(t, filepath.Join(root, "r"), runs[0].Dir)
	assert.Equal(t, filepath.Join(root, "grid/a/r"), runs[1].Dir)
	assert.Equal(t, record.Interrupted, runs[1].Manifest.Status)
}

func TestListOfAFolderThatIsNotThereSaysSo(t *testing.T) {
	_, err := record.List(filepath.Join(t.TempDir(), "absent"))
	assert.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "absent")
}

func TestOpenRefusesWhatIsNoRunOfThisFormat(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "is damaged",
		`{"format": 1, "status"`:           "is damaged",
		`{}`:                               "has no format version",
		`{"format": 2}`:                    "use a newer build",
		`{"format": 1, "status": "great"}`: `has status "great"`,
		`{"format": 1, "seed": -1}`:        "is damaged",
	} {
		dir := t.TempDir()
		write(t, dir, "run.json", text)
		_, err := record.Open(dir)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, filepath.Join(dir, "run.json"))
		_, err = record.Resume(dir)
		assert.ErrorContains(t, err, want)
	}
}

func TestResumeOfAFolderThatIsNoRunLeavesNothingThere(t *testing.T) {
	dir := t.TempDir()
	_, err := record.Resume(dir)
	assert.ErrorIs(t, err, fs.ErrNotExist)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func Example() {
	root, _ := os.MkdirTemp("", "runs")
	defer os.RemoveAll(root)

	run, err := record.Create(root, record.Manifest{Name: "demo", Model: "mmiln", Seed: 1111, Commit: "unknown"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer run.Close()
	for epoch := 1; epoch <= 3; epoch++ {
		run.Scalars(epoch, map[string]float64{"valid/mae": 1 / float64(epoch)})
		run.Sync()
	}
	run.Finish(record.Finished, map[string]int{"best_epoch": 3}, nil)

	reader, err := record.Open(filepath.Join(root, "demo"))
	if err != nil {
		fmt.Println(err)
		return
	}
	lines, err := reader.Metrics()
	fmt.Println(reader.Manifest().Status, len(lines), lines[1].Values["valid/mae"], err)
	// Output: finished 3 0.5 <nil>
}
