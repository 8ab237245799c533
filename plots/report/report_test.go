package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/plots/browser"
	"github.com/mmiln/workbench/plots/report"
)

// evil is put into every field that takes text.
const evil = `</script><script>document.title="owned"</script>"'><img src=x onerror='document.title="owned"'><!--{{.}}` + "\u2028`${1}"

// made writes a run folder by hand. mark goes into every field that takes text.
func made(t testing.TB, seed uint64, layers int, mark string, status record.Status) *record.Reader {
	t.Helper()
	c := experiment.Default()
	c.Seed, c.MMILN.Layers = seed, layers
	config, err := json.Marshal(c)
	require.NoError(t, err)
	r, err := record.Create(t.TempDir(), record.Manifest{
		Name: fmt.Sprintf("run-%d-%d", layers, seed), Model: "model" + mark, Seed: seed, Config: config, Commit: "c0ffee" + mark,
		Argv: []string{"mmiln", "train", mark}, Backend: "pure Go" + mark, Data: record.Data{Name: "made-up" + mark, Dir: "nowhere" + mark, Card: "hash" + mark},
	})
	require.NoError(t, err)
	require.NoError(t, r.Config([]byte("name = '''"+mark+"'''\n")))
	fill(t, r, mark)
	result := experiment.Result{BestEpoch: 2, Epochs: 3}
	for split, scores := range map[string]*experiment.Result{"valid": &result, "test": &result} {
		rows := predictions(seed, mark)
		require.NoError(t, r.Predictions(split, rows))
		scores.Test, err = experiment.Score(rows)
		require.NoError(t, err)
	}
	result.Valid, result.Constant = result.Test, result.Test
	result.Constant.MAE = 2
	require.NoError(t, r.Opened(record.Opening{Split: "test", Reason: "reason" + mark}))
	require.NoError(t, r.Finish(status, result, errors.New("cause"+mark)))
	require.NoError(t, r.Close())
	run, err := record.Open(r.Dir())
	require.NoError(t, err)
	return run
}

func fill(t testing.TB, r *record.Run, mark string) {
	t.Helper()
	id := strings.ReplaceAll(mark, "\u2028", "") // line breaks are refused
	for epoch := 1; epoch <= 3; epoch++ {
		at := float64(epoch)
		require.NoError(t, r.Scalars(epoch, map[string]float64{"train/loss": 1 / at, "valid/loss": 2 / at, "valid/mae": 1 / at, "valid/corr": math.NaN()}))
		require.NoError(t, r.Append(record.Timing, map[string]any{"epoch": epoch, "seconds": at}))
		require.NoError(t, r.Append(record.Refusion, experiment.RefusionLine{Epoch: epoch, Sim: []float64{at}, Diff: []float64{1 / at}}))
		require.NoError(t, r.Append(record.Gates, experiment.GateLine{Epoch: epoch, Gate: "layers.0.gate.audio.g_r" + mark, Mean: 0.5}))
		require.NoError(t, r.Append(record.ULGM, experiment.ULGMLine{Epoch: epoch, Tasks: map[mmiln.Task]experiment.LabelDrift{
			mmiln.Task("audio" + mark): {Truth: record.Number(0.3 * at), MultimodalTruth: 0.5},
		}}))
		require.NoError(t, r.PseudoLabels([]record.PseudoLabel{
			{Epoch: epoch, Split: "train", ID: "id" + id, Task: "audio", Label: float32(at), Human: 1},
		}))
	}
}

func predictions(seed uint64, mark string) (rows []record.Prediction) {
	id := strings.ReplaceAll(mark, "\u2028", "")
	for i := range 12 {
		label := float32(i-6) / 2
		rows = append(rows, record.Prediction{ID: fmt.Sprint(i, id), Label: label, Value: label*0.8 + float32(seed)/10})
	}
	return rows
}

func written(t testing.TB, p report.Page) (path, text string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "report.html")
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, p.Write(file))
	require.NoError(t, file.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return path, string(content)
}

func seeds(t testing.TB, mark string) []*record.Reader {
	return []*record.Reader{
		made(t, 1, 2, mark, record.Finished), made(t, 2, 2, mark, record.Finished), made(t, 1, 3, mark, record.Finished),
		made(t, 3, 2, mark, record.Failed),
	}
}

func TestAReportHasEverySection(t *testing.T) {
	_, text := written(t, report.Page{Title: "Report", Runs: seeds(t, ""), Made: time.Now()})
	for _, wanted := range []string{
		"Of 5 claims 4 hold, 0 do not, and 1 cannot be said from these runs. 1 runs did not finish; they are kept below.",
		"model (1)", "2 seeds", "constant predictor", "Table 2, MOSI", "Number of fusion layers", "Drift of the pseudo-labels",
		"How many moments does CMD compare?", "mmiln.layers", "c0ffee", "mmiln train", "<strong>run-2-3</strong>: failed: cause",
		"opened 1 time", "nowhere cannot be read now",
	} {
		assert.True(t, strings.Contains(text, wanted), wanted)
	}
}

func TestAReportIsDrawnWithTheNetworkOffWhateverItsFieldsHold(t *testing.T) {
	for name, mark := range map[string]string{"plain": "", "hostile": evil} {
		t.Run(name, func(t *testing.T) {
			path, _ := written(t, report.Page{Title: "Report" + mark, Runs: seeds(t, mark), Note: mark})
			page := browser.Open(t, path, browser.Window{Width: 1280, Height: 900})
			assert.Empty(t, page.Console, "no error, and nothing that the policy forbade was tried")
			assert.NotContains(t, page.DOM, "<title>owned")
			require.NotEmpty(t, page.Charts())
			for _, c := range page.Charts() {
				assert.Greater(t, c.Shapes, 8, "%.60s", c.Title)
			}
		})
	}
}

func TestThePolicyForbidsEveryOtherScript(t *testing.T) {
	path, text := written(t, report.Page{Title: "Report", Runs: []*record.Reader{made(t, 1, 2, "", record.Interrupted)}})
	policy := between(text, `http-equiv="Content-Security-Policy" content="`, `"`)
	assert.Contains(t, policy, "default-src &#39;none&#39;")
	assert.NotContains(t, policy, "unsafe-eval")
	assert.NotContains(t, between(policy, "script-src", ";"), "unsafe-inline")
	tampered := strings.Replace(text, "</main>", `<script>document.title="owned"</script><img src="http://127.0.0.1:1/x.png"></main>`, 1)
	require.NoError(t, os.WriteFile(path, []byte(tampered), 0o644))
	page := browser.Open(t, path, browser.Window{Width: 1280, Height: 900})
	assert.Contains(t, page.DOM, "<title>Report</title>")
	assert.Len(t, page.Console, 2, "the script and the picture")
}

func TestAPlaygroundRunsItsOwnScriptsAndNoMore(t *testing.T) {
	path, text := written(t, report.Page{Title: "Report", Runs: []*record.Reader{made(t, 1, 2, "", record.Interrupted)}, Playground: report.Playground{
		Section: `<div id="play"></div>`, Scripts: []string{`document.getElementById("play").textContent = "it played"`}, Sources: []string{"'wasm-unsafe-eval'"},
	}})
	assert.Contains(t, between(text, "script-src", `"`), "&#39;wasm-unsafe-eval&#39;")
	page := browser.Open(t, path, browser.Window{Width: 1280, Height: 900})
	assert.Contains(t, page.DOM, `<div id="play">it played</div>`)
	assert.Empty(t, page.Console)
}

func TestAScriptThatEndsItselfIsRefused(t *testing.T) {
	p := report.Page{Runs: []*record.Reader{made(t, 1, 2, "", record.Interrupted)}, Playground: report.Playground{Scripts: []string{`"</script>"`}}}
	assert.ErrorContains(t, p.Write(&strings.Builder{}), "</script")
}

func TestAReportOfNothingSaysWhatToGive(t *testing.T) {
	assert.ErrorContains(t, report.Page{}.Write(&strings.Builder{}), "give run folders")
}

func TestUnfinishedRunsAreReportedToo(t *testing.T) {
	_, text := written(t, report.Page{Title: "Report", Runs: []*record.Reader{made(t, 1, 2, "", record.Interrupted)}})
	assert.True(t, strings.Contains(text, "No run has finished."))
	assert.True(t, strings.Contains(text, "Losses over epochs"))
}

// A run that was trained, its data at hand, with a look into an example.
func TestATrainedRunShowsItsDataAndAnExample(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "planted")
	_, err := planted.Config{
		Seed: 1, Train: 24, Valid: 8, Test: 8, Width: [3]int{6, 4, 5}, Length: [3]int{8, 10, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}.Save(dir)
	require.NoError(t, err)
	backend, note, err := device.Open("go")
	require.NoError(t, err)
	c := experiment.Default()
	c.Data.Dir, c.Train.Batch, c.Train.UpdateEvery, c.Train.MaxEpochs = dir, 6, 1, 2
	m := &c.MMILN
	m.Width, m.Heads, m.FFN, m.Layers, m.AudioHidden, m.VisionHidden = 8, 2, 8, 1, 3, 3
	result, err := experiment.Train(context.Background(), c, experiment.Options{Backend: backend, Note: note, Runs: t.TempDir()})
	require.NoError(t, err)
	run, err := record.Open(result.Dir)
	require.NoError(t, err)
	p, err := experiment.OpenPredictor(result.Dir, backend)
	require.NoError(t, err)
	development, _, err := data.Open(dir)
	require.NoError(t, err)
	look, err := p.Look(development.Valid, 0)
	require.NoError(t, err)
	_, text := written(t, report.Page{Title: "Report", Runs: []*record.Reader{run}, Looks: []experiment.Look{look}})
	for _, wanted := range []string{"Gates along one example: valid-00000", "Attention of one example", "Recovery of the unimodal truth", "Format planted", "truth of train-"} {
		assert.True(t, strings.Contains(text, wanted), wanted)
	}
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}
