package data_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/data"
)

func TestTheCardCountsAndMeasures(t *testing.T) {
	_, card := save(t)
	train := card.Splits[data.Train]
	assert.Equal(t, 9, train.Examples)
	// Labels -3, …, 3, -3, -2.
	assert.Equal(t, [7]int{2, 2, 1, 1, 1, 1, 1}, train.Labels.Histogram)
	assert.InDelta(t, -5.0/9, train.Labels.Mean, 1e-12)
	assert.InDelta(t, math.Sqrt(41.0/9-25.0/81), train.Labels.Std, 1e-12)
	// Lengths 1, …, 9.
	assert.Equal(t, data.LengthCard{Min: 1, Median: 5, Mean: 5, P90: 9, Max: 9}, train.Modalities[data.Text].Lengths)
	assert.Equal(t, data.LengthCard{Min: 3, Median: 4, Mean: 4.5, P90: 6, Max: 6}, card.Splits[data.Valid].Tokens)
	assert.Equal(t, []int{2, 3, 0}, []int{train.Modalities[0].Width, train.Modalities[1].Width, train.Modalities[2].Width})
}

func TestLabelsAreRoundedHalfToEven(t *testing.T) {
	w, _ := create(t)
	addAll(t, w)
	for i, label := range []float32{-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.51} {
		e := example(data.Train, 20+i)
		e.Info.Label = label
		require.NoError(t, w.Add(data.Train, e))
	}
	card, err := w.Close()
	require.NoError(t, err)
	assert.Equal(t, [7]int{2, 4, 1, 3, 2, 3, 1}, card.Splits[data.Train].Labels.Histogram)
}

func TestAnotherLimitOfLabelsIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sims")
	w, err := data.Create(dir, data.Source{Width: [3]int{1, 0, 0}, Limit: 1})
	require.NoError(t, err)
	for _, split := range data.Splits {
		e := data.Example{Info: data.Info{ID: string(split), Label: 1, Lengths: [3]int{1, 0, 0}}, Values: [3][]float32{{1}, nil, nil}}
		require.NoError(t, w.Add(split, e))
		e.Info.ID, e.Info.Label = e.Info.ID+"'", 1.1
		assert.ErrorContains(t, w.Add(split, e), "label is 1.1 and must lie in [-1, 1]")
	}
	_, err = w.Close()
	require.NoError(t, err)
	d, _ := open(t, dir)
	assert.Equal(t, float32(1), d.Card().Source.Limit)
}

func TestACardIsPrintedForPeople(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "small")
	w, err := data.Create(dir, data.Source{
		Format: "test", Width: source.Width, Tokens: true, Note: "Made up.",
		Files: []data.File{{Path: "made/up.pkl", SHA256: strings.Repeat("ab", 32)}},
	})
	require.NoError(t, err)
	addAll(t, w)
	w.Exclude(data.Train, "x1", "no audio")
	w.Exclude("", "x2", "label missing")
	w.Exclude(data.Train, "x3", "label missing")
	card, err := w.Close()
	require.NoError(t, err)
	var b strings.Builder
	card.Print(&b)
	assert.Equal(t, strings.TrimPrefix(`
name      small
sha256    `+card.SHA256()+`
format    version 1, from test
source    made/up.pkl (sha256 abababababab…)
note      Made up.

labels   examples    mean    std      -3    -2    -1     0     1     2     3
train           9  -0.556  2.061       2     2     1     1     1     1     1
valid           4  -1.500  1.118       1     1     1     1     0     0     0
test            5  -1.000  1.414       1     1     1     1     1     0     0

steps             width    min  median     mean    p90    max  empty  not finite
train   text          2      1       5      5.0      9      9      0           0
train   audio         3      1       1      1.0      1      1      0           0
train   vision   absent
train   tokens               3       7      7.0     11     11
valid   text          2      1       2      2.5      4      4      0           0
valid   audio         3      1       1      1.0      1      1      0           0
valid   vision   absent
valid   tokens               3       4      4.5      6      6
test    text          2      1       3      3.0      5      5      0           0
test    audio         3      1       1      1.0      1      1      0           0
test    vision   absent
test    tokens               3       5      5.0      7      7

excluded  2: label missing: x2, x3

excluded  1: no audio: x1
`, "\n"), b.String())
}

func TestNoLineOfACardIsWiderThan80Columns(t *testing.T) {
	_, card := save(t)
	rapid.Check(t, func(r *rapid.T) {
		card.Name = rapid.String().Draw(r, "name")
		card.Source.Note = rapid.String().Draw(r, "note") + " " + rapid.StringMatching(`[a-zé ]{0,200}`).Draw(r, "more")
		card.Source.Files = []data.File{{Path: "/" + rapid.StringMatching(`[a-z/ ]{0,200}`).Draw(r, "path"), SHA256: "0123456789abcdef"}}
		card.Exclusions = []data.Exclusion{{ID: rapid.StringMatching(`[a-z]{1,99}`).Draw(r, "id"), Reason: "none"}}
		var b strings.Builder
		card.Print(&b)
		for line := range strings.Lines(b.String()) {
			require.LessOrEqual(r, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, line)
		}
	})
}
