package planted_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mmiln/workbench/data/planted"
)

func TestScoreFollowsTheGrammar(t *testing.T) {
	for sentence, want := range map[string]float64{
		"":                                     0,
		"the movie was good":                   1.25,
		"The Movie was GOOD":                   1.25,
		"not good":                             -0.625,
		"very good":                            1.875,
		"not very good":                        -0.9375,
		"not terrible":                         1,
		"never not good":                       0.3125,
		"good but boring":                      0,
		"very um good":                         1.25, // a modifier acts on the next word only
		"good not":                             1.25,
		"brilliant superb great":               3,
		"an atrocious disgusting unbearable x": -3,
	} {
		assert.Equal(t, want, planted.Score(strings.Fields(sentence)), sentence)
	}
}

func TestTheLexiconHasEachWordOnce(t *testing.T) {
	words := map[string]bool{}
	for _, entry := range planted.Lexicon() {
		assert.False(t, words[entry.Word], entry.Word)
		words[entry.Word] = true
	}
}

func TestOnlyNeutralWordsHaveNoValue(t *testing.T) {
	for _, entry := range planted.Lexicon() {
		assert.Equal(t, entry.Kind == planted.Neutral, entry.Value == 0, entry.Word)
	}
}

func TestChangingTheListedLexiconChangesNoScore(t *testing.T) {
	for i := range planted.Lexicon() {
		planted.Lexicon()[i].Value = 9
	}
	assert.Equal(t, 1.25, planted.Score([]string{"good"}))
}

func TestSentencesUseWordsOfTheLexiconOnlyAndAllOfThem(t *testing.T) {
	used := map[string]bool{}
	for _, info := range readMOSI(t).Train.Infos {
		for _, word := range strings.Fields(info.Words) {
			used[word] = true
		}
	}
	var listed []string
	for _, entry := range planted.Lexicon() {
		listed = append(listed, entry.Word)
	}
	var seen []string
	for word := range used {
		seen = append(seen, word)
	}
	slices.Sort(seen)
	assert.Equal(t, listed, seen)
}

func TestUnknownWordsEmbedDifferentlyFromOneAnother(t *testing.T) {
	c := planted.MOSI()
	assert.NotEqual(t, c.Embed([]string{"zebra"}), c.Embed([]string{"giraffe"}))
	assert.Equal(t, c.Embed([]string{"zebra"}), c.Embed([]string{"Zebra"}))
}

func TestEmbeddingsDependOnTheSeed(t *testing.T) {
	c := planted.MOSI()
	before := c.Embed([]string{"good"})
	c.Seed++
	assert.NotEqual(t, before, c.Embed([]string{"good"}))
}
