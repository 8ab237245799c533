package casestudy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/casestudy"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

var scratch string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		scratch, _ = os.MkdirTemp("", "casestudy")
		defer os.RemoveAll(scratch)
		return m.Run()
	}())
}

// trained are MMILN and Self-MM on one planted set, two epochs each.
var trained = sync.OnceValues(func() (runs []string, err error) {
	set := planted.Config{
		Seed: 1, Train: 24, Valid: 8, Test: 8, Width: [3]int{6, 4, 5}, Length: [3]int{8, 10, 12},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.1, 0.1},
	}
	c := experiment.Default()
	c.Data.Dir = filepath.Join(scratch, "set")
	if _, err := set.Save(c.Data.Dir); err != nil {
		return nil, err
	}
	c.Train.Batch, c.Train.UpdateEvery, c.Train.MaxEpochs = 6, 1, 2
	m, s := &c.MMILN, &c.SelfMM
	m.Width, m.Heads, m.FFN, m.Layers, m.AudioHidden, m.VisionHidden = 8, 2, 8, 2, 3, 3
	m.Head = mmiln.Heads{Multimodal: mmiln.HeadConfig{Width: 6}, Audio: mmiln.HeadConfig{Width: 4}, Vision: mmiln.HeadConfig{Width: 4}}
	s.AudioHidden, s.VisionHidden, s.AudioOutput, s.VisionOutput, s.Head = 3, 3, 4, 4, m.Head
	s.Head.Text = mmiln.HeadConfig{Width: 5}
	backend, note, err := device.Open("go")
	if err != nil {
		return nil, err
	}
	for _, c.System = range []string{"mmiln", "selfmm"} {
		c.Name = "tiny-" + c.System
		result, err := experiment.Train(context.Background(), c, experiment.Options{Backend: backend, Note: note, Runs: filepath.Join(scratch, "runs")})
		if err != nil {
			return nil, err
		}
		runs = append(runs, result.Dir)
	}
	return runs, nil
})

func study(t *testing.T, queries ...casestudy.Query) (*casestudy.Result, []string) {
	t.Helper()
	runs, err := trained()
	require.NoError(t, err)
	r, err := casestudy.Study(runs, queries, options(t))
	require.NoError(t, err)
	return r, runs
}

func options(t *testing.T) casestudy.Options {
	t.Helper()
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	return casestudy.Options{Backend: backend, Reason: "a test"}
}

func reader(t *testing.T, dir string) *record.Reader {
	t.Helper()
	r, err := record.Open(dir)
	require.NoError(t, err)
	return r
}

func openings(t *testing.T, dir string) int {
	t.Helper()
	found, err := reader(t, dir).Openings()
	require.NoError(t, err)
	return len(found)
}

func TestPredictionsAreThoseThatTheRunsRecorded(t *testing.T) {
	r, runs := study(t, casestudy.Query{ID: "test-00003"}, casestudy.Query{ID: "valid-00005"})
	for k, dir := range runs {
		for i, split := range []string{"test", "valid"} {
			recorded, err := reader(t, dir).Predictions(split)
			require.NoError(t, err)
			want, view := recorded[[]int{3, 5}[i]], r.Cases[i].Views[k]
			assert.Equal(t, want.ID, r.Cases[i].ID)
			assert.InDelta(t, want.Label, float64(r.Cases[i].Label), 1e-6)
			assert.InDelta(t, want.Value, view.Predictions[mmiln.Multimodal], 1e-5)
			assert.Len(t, view.Predictions, 1+len(want.Tasks))
			for task, value := range want.Tasks {
				assert.InDelta(t, value, view.Predictions[mmiln.Task(task)], 1e-5)
			}
		}
	}
}

func TestATrainingExampleHasPseudoLabelsAndIsNoEvidence(t *testing.T) {
	r, runs := study(t, casestudy.Query{ID: "train-00007"})
	for k, dir := range runs {
		view, best := r.Cases[0].Views[k], r.Runs[k].BestEpoch
		assert.Equal(t, data.Train, view.Split)
		assert.False(t, view.Evidence)
		assert.Contains(t, view.Note, "trained on this very example")
		seen := 0
		for label, err := range reader(t, dir).PseudoLabels() {
			require.NoError(t, err)
			if label.ID != "train-00007" {
				continue
			}
			seen++
			of := view.PseudoLabels[mmiln.Task(label.Task)]
			assert.Equal(t, label.Epoch, of.Epochs[label.Epoch-1])
			assert.InDelta(t, label.Label, of.Labels[label.Epoch-1], 1e-6)
			if label.Epoch == best {
				assert.InDelta(t, label.Label, of.Best, 1e-6)
			}
		}
		assert.Equal(t, 2*len(view.PseudoLabels), seen)
	}
}

func TestATestExampleIsEvidenceAndHasNoPseudoLabels(t *testing.T) {
	r, _ := study(t, casestudy.Query{ID: "test-00000"})
	for _, view := range r.Cases[0].Views {
		assert.True(t, view.Evidence)
		assert.Empty(t, view.Note)
		assert.Empty(t, view.PseudoLabels)
	}
}

func TestTheTestSplitStaysSealedWhereNothingOfItIsAskedFor(t *testing.T) {
	runs, err := trained()
	require.NoError(t, err)
	before := openings(t, runs[0])
	study(t, casestudy.Query{ID: "train-00000"})
	assert.Equal(t, before, openings(t, runs[0]))
	study(t, casestudy.Query{ID: "test-00000"})
	assert.Equal(t, before+1, openings(t, runs[0]), "and opening it is on record")
}

func TestWordsAreFoundWhateverCaseAndPunctuation(t *testing.T) {
	runs, err := trained()
	require.NoError(t, err)
	c, err := experiment.ConfigOf(runs[0])
	require.NoError(t, err)
	development, _, err := data.Open(c.Data.Dir)
	require.NoError(t, err)
	want := development.Valid.Info(2)
	r, _ := study(t, casestudy.Query{Words: "  " + strings.ToUpper(strings.ReplaceAll(want.Words, " ", " , ")) + "!"})
	assert.Equal(t, want.Words, r.Cases[0].Words)
	assert.True(t, r.Cases[0].Found)
}

func TestGatesAndAttentionNameLayerPartAndModality(t *testing.T) {
	r, _ := study(t, casestudy.Query{ID: "valid-00001"})
	view := r.Cases[0].Views[0]
	assert.Len(t, view.Gates, 2*2*(2+3))
	assert.Equal(t, casestudy.Gate{Layer: 1, Part: "gate", Modality: mmiln.Audio, Gate: "g_r", Mean: view.Gates[0].Mean}, view.Gates[0])
	parts := map[string]int{}
	for _, a := range view.Attention {
		parts[a.Part]++
		assert.Contains(t, []int{1, 2}, a.Layer)
		sum := 0.0
		for _, w := range a.Steps {
			sum += w
		}
		assert.InDelta(t, 1, sum, 1e-5)
		assert.Len(t, a.Weights[0], len(a.Steps))
	}
	assert.Equal(t, map[string]int{"gate": 4, "self": 4, "sag": 4}, parts)
	assert.Empty(t, r.Cases[0].Views[1].Gates, "Self-MM has none")
}

func TestTable4IsLookedUpAndSaidNotToBeThere(t *testing.T) {
	r, _ := study(t, casestudy.Table4()...)
	require.Len(t, r.Cases, 4)
	assert.Zero(t, r.Found())
	for _, c := range r.Cases {
		assert.NotNil(t, c.Paper)
		assert.True(t, math.IsNaN(float64(c.Label)))
	}
	var out bytes.Buffer
	require.NoError(t, r.Print(&out))
	assert.Equal(t, 4, strings.Count(out.String(), "in none of these data sets"))
	assert.Contains(t, out.String(), "paper: label +2.0, MMILN +2.0, Self-MM +2.3")
}

func TestAResultIsPlainData(t *testing.T) {
	r, _ := study(t, casestudy.Query{ID: "train-00001"}, casestudy.Query{Words: "nobody says so"})
	text, err := json.Marshal(r)
	require.NoError(t, err)
	var back casestudy.Result
	require.NoError(t, json.Unmarshal(text, &back))
	assert.True(t, math.IsNaN(float64(back.Cases[1].Label)))
	back.Cases[1].Label, r.Cases[1].Label = 0, 0
	assert.Equal(t, *r, back)
}

func TestPrintShowsPseudoLabelsInBracketsAndNoTerminalCodes(t *testing.T) {
	r, _ := study(t, casestudy.Query{ID: "train-00001"})
	r.Cases[0].Words = "\x1b[31mred"
	var out bytes.Buffer
	require.NoError(t, r.Print(&out))
	assert.Regexp(t, `(?m)^A +train +[+-]\d\.\d\d +- +[+-]\d\.\d\d \[[+-]\d\.\d\d\]`, out.String())
	assert.Contains(t, out.String(), "layer 2 sag vision")
	assert.NotContains(t, out.String(), "\x1b")
}

func TestWhatCannotBeStudiedSaysWhy(t *testing.T) {
	runs, err := trained()
	require.NoError(t, err)
	refuse := func(want string, runs []string, queries ...casestudy.Query) {
		t.Helper()
		_, err := casestudy.Study(runs, queries, options(t))
		assert.ErrorContains(t, err, want)
	}
	refuse("0 runs and 1 utterances; name one of each at least", nil, casestudy.Query{ID: "x"})
	refuse("1 runs and 0 utterances", runs[:1])
	refuse("an utterance has neither id nor words", runs, casestudy.Query{Words: " ?"})
	refuse("nowhere/run.json", []string{"nowhere"}, casestudy.Query{ID: "x"})
	refuse(`no data set of these runs has an example "train-99999"`, runs, casestudy.Query{ID: "train-99999"})
	refuse("tiny-mmiln-set-s1111", runs, casestudy.Query{Sentence: "a good film"})
	unfinished, err := record.Create(t.TempDir(), record.Manifest{Model: "m", Data: record.Data{Name: "d"}})
	require.NoError(t, err)
	require.NoError(t, unfinished.Close())
	refuse("is interrupted, and its model may still change; resume it first: mmiln resume", []string{unfinished.Dir()}, casestudy.Query{ID: "x"})
}

func TestADataSetWithoutTranscriptsSaysSo(t *testing.T) {
	runs, err := trained()
	require.NoError(t, err)
	o := options(t)
	o.Data = filepath.Join(t.TempDir(), "silent")
	silence(t, o.Data, 5)
	_, err = casestudy.Study(runs[:1], casestudy.Table4(), o)
	assert.ErrorContains(t, err, "silent has no transcripts to look words up in; name examples by their ids, or import the data with its text")
}

func TestAModalityThatTheDataLackIsNamed(t *testing.T) {
	c := experiment.Default()
	c.Data.Dir = filepath.Join(t.TempDir(), "blind")
	silence(t, c.Data.Dir, 0)
	c.Name, c.Train.MaxEpochs, c.Train.UpdateEvery, c.MMILN.Layers, c.MMILN.Width, c.MMILN.Heads, c.MMILN.FFN = "blind", 1, 1, 1, 8, 2, 8
	backend, note, err := device.Open("go")
	require.NoError(t, err)
	trained, err := experiment.Train(t.Context(), c, experiment.Options{Backend: backend, Note: note, Runs: t.TempDir()})
	require.NoError(t, err)
	r, err := casestudy.Study([]string{trained.Dir}, []casestudy.Query{{ID: "valid"}}, options(t))
	require.NoError(t, err)
	assert.Equal(t, []mmiln.Task{mmiln.Vision}, r.Runs[0].Absent)
	var out bytes.Buffer
	require.NoError(t, r.Print(&out))
	assert.Contains(t, out.String(), "its data have no vision")
}

// silence writes a data set of one example a split, without words.
func silence(t *testing.T, dir string, vision int) {
	t.Helper()
	w, err := data.Create(dir, data.Source{Format: "test", Width: [3]int{6, 4, vision}})
	require.NoError(t, err)
	for _, split := range data.Splits {
		none := float32(math.NaN())
		e := data.Example{Info: data.Info{ID: string(split), Label: 1, Unimodal: [3]float32{none, none, none}, Lengths: [3]int{1, 1, min(vision, 1)}}}
		for m, width := range []int{6, 4, vision} {
			e.Values[m] = make([]float32, width)
		}
		require.NoError(t, w.Add(split, e))
	}
	_, err = w.Close()
	require.NoError(t, err)
}
