package data_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

var nan = float32(math.NaN())

// source has text of 2 features, audio of 3, no vision, and token ids.
var source = data.Source{Format: "test", Width: [3]int{2, 3, 0}, Tokens: true}

// example number i has i+1 steps of text, one of audio, and a label of i%7 − 3.
func example(split data.SplitName, i int) data.Example {
	e := data.Example{Info: data.Info{
		ID: fmt.Sprintf("%s-%d", split, i), Words: "so it goes", Label: float32(i%7 - 3),
		Unimodal: [3]float32{float32(i) / 10, nan, nan}, Lengths: [3]int{i + 1, 1, 0},
	}}
	for v := range 2 * (i + 1) {
		e.Values[data.Text] = append(e.Values[data.Text], float32(100*i+v))
	}
	e.Values[data.Audio] = []float32{float32(i), 1, 2}
	for v := range i + 3 {
		e.Tokens = append(e.Tokens, int32(101+v))
	}
	return e
}

// sizes of the small set's splits.
var sizes = map[data.SplitName]int{data.Train: 9, data.Valid: 4, data.Test: 5}

func create(t testing.TB) (*data.Writer, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "small")
	w, err := data.Create(dir, source)
	require.NoError(t, err)
	return w, dir
}

func addAll(t testing.TB, w *data.Writer) {
	t.Helper()
	for _, split := range data.Splits {
		for i := range sizes[split] {
			require.NoError(t, w.Add(split, example(split, i)))
		}
	}
}

// save writes the small set and returns its folder.
func save(t testing.TB) (string, data.Card) {
	t.Helper()
	w, dir := create(t)
	addAll(t, w)
	card, err := w.Close()
	require.NoError(t, err)
	return dir, card
}

func TestNothingStandsUnderTheFinalNameBeforeClose(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	assert.NoDirExists(t, dir)
	_, err := w.Close()
	require.NoError(t, err)
	assert.DirExists(t, dir)
	assert.Equal(t, []string{"small"}, namesIn(t, filepath.Dir(dir)))
}

func TestAbortLeavesNothing(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	w.Abort()
	assert.Empty(t, namesIn(t, filepath.Dir(dir)))
	_, err := w.Close()
	assert.ErrorContains(t, err, "closed already")
}

func TestAbortAfterCloseKeepsTheSet(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	_, err := w.Close()
	require.NoError(t, err)
	w.Abort()
	assert.FileExists(t, filepath.Join(dir, "card.json"))
}

func TestAFolderThatExistsIsRefusedAndKept(t *testing.T) {
	dir, _ := save(t)
	_, err := data.Create(dir, source)
	assert.ErrorContains(t, err, dir+" exists; choose another folder, or remove it first")
	assert.FileExists(t, filepath.Join(dir, "card.json"))
	assert.Equal(t, []string{"small"}, namesIn(t, filepath.Dir(dir)))
}

func TestAFolderThatAppearsMeanwhileIsKept(t *testing.T) {
	w, dir := create(t)
	addAll(t, w)
	require.NoError(t, os.Mkdir(dir, 0o777))
	_, err := w.Close()
	assert.ErrorContains(t, err, "exists")
	assert.Equal(t, []string{"small"}, namesIn(t, filepath.Dir(dir)))
	assert.Empty(t, namesIn(t, dir))
}

func TestAnEmptySplitIsRefused(t *testing.T) {
	w, dir := create(t)
	require.NoError(t, w.Add(data.Train, example(data.Train, 0)))
	_, err := w.Close()
	assert.ErrorContains(t, err, "split valid has no examples")
	assert.Empty(t, namesIn(t, filepath.Dir(dir)))
}

func TestAnExampleThatBreaksARuleIsNamedWithItsFieldAndTheRemedy(t *testing.T) {
	for want, spoil := range map[string]func(*data.Example){
		`id is empty; give`:                          func(e *data.Example) { e.Info.ID = " " },
		`id "a\nb" has control characters`:           func(e *data.Example) { e.Info.ID = "a\nb" },
		`id "train-0" comes twice in train`:          func(e *data.Example) { e.Info.ID = "train-0" },
		`id "valid-0" is in valid and in train`:      func(e *data.Example) { e.Info.ID = "valid-0" },
		`label is NaN and must lie in [-3, 3]`:       func(e *data.Example) { e.Info.Label = nan },
		`label is -3.1 and must lie in [-3, 3]`:      func(e *data.Example) { e.Info.Label = -3.1 },
		`label_audio is +Inf and must lie`:           func(e *data.Example) { e.Info.Unimodal[1] = float32(math.Inf(1)) },
		`text has 5 values, which are not whole ste`: func(e *data.Example) { e.Values[0] = make([]float32, 5) },
		`audio has 2 steps of 3 features and states`: func(e *data.Example) { e.Values[1] = make([]float32, 6) },
		`the source declares no vision`:              func(e *data.Example) { e.Values[2] = make([]float32, 6) },
		`it has 0 token ids; give every example`:     func(e *data.Example) { e.Tokens = nil },
	} {
		w, _ := create(t)
		require.NoError(t, w.Add(data.Train, example(data.Train, 0)))
		require.NoError(t, w.Add(data.Valid, example(data.Valid, 0)))
		bad := example(data.Train, 1)
		spoil(&bad)
		err := w.Add(data.Train, bad)
		assert.ErrorContains(t, err, want)
		assert.ErrorContains(t, err, fmt.Sprintf("data: example %q of train: ", bad.Info.ID))
		assert.NoError(t, w.Add(data.Train, example(data.Train, 1)), "one may go on")
		w.Abort()
	}
}

func TestASplitMustBeOneOfThree(t *testing.T) {
	w, _ := create(t)
	defer w.Abort()
	assert.ErrorContains(t, w.Add("dev", example("dev", 0)), `split is "dev"; it must be train, valid or test`)
}

func TestAFolderThatCannotBeMadeIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o666))
	_, err := data.Create(filepath.Join(file, "set"), source)
	assert.ErrorContains(t, err, filepath.Join(file, "set"))
	assert.ErrorContains(t, err, "not a directory")
}

func TestAddAfterCloseIsRefused(t *testing.T) {
	w, _ := create(t)
	addAll(t, w)
	_, err := w.Close()
	require.NoError(t, err)
	assert.ErrorContains(t, w.Add(data.Train, example(data.Train, 50)), "is closed")
}

func TestASourceThatCannotBeIsRefused(t *testing.T) {
	for want, s := range map[string]data.Source{
		"width of audio is -1": {Width: [3]int{1, -1, 1}},
		"limit of labels is":   {Limit: nan},
	} {
		_, err := data.Create(filepath.Join(t.TempDir(), "set"), s)
		assert.ErrorContains(t, err, want)
	}
}

func TestTheSameExamplesGiveTheSameHash(t *testing.T) {
	_, first := save(t)
	_, second := save(t)
	assert.Equal(t, first, second)
	assert.Equal(t, first.SHA256(), second.SHA256())
	second.Files["index.csv"] = "0"
	assert.NotEqual(t, first.SHA256(), second.SHA256())
}

func namesIn(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}
