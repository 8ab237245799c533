package planted

import (
	"slices"
	"strings"
)

// Kind is what a word does to a sentence's sentiment.
type Kind int

// The kinds of words.
const (
	Neutral Kind = iota // nothing
	Cue                 // adds its value
	Negator             // multiplies the value of the cue that follows by a negative number
	Booster             // multiplies it by a positive one: intensifiers and diminishers
)

// String returns the kind's name in lower case.
func (k Kind) String() string { return [...]string{"neutral", "cue", "negator", "booster"}[k] }

// Entry is one word of the lexicon.
type Entry struct {
	Word  string
	Kind  Kind
	Value float64 // what a cue adds or a modifier multiplies by; 0 for a neutral word
}

// Values are multiples of 1/4 and factors have few bits, so that scores are exact.
var cues = map[float64]string{
	2.25:  "brilliant outstanding masterful",
	2:     "wonderful amazing superb excellent",
	1.75:  "fantastic beautiful great",
	1.5:   "lovely delightful impressive",
	1.25:  "good charming clever",
	1:     "enjoyable funny nice",
	0.75:  "likable pleasant solid",
	0.5:   "decent okay watchable",
	0.25:  "passable fair",
	-0.25: "ordinary plain",
	-0.5:  "predictable slow flat",
	-0.75: "mediocre bland uneven",
	-1:    "weak clumsy tedious",
	-1.25: "bad boring silly",
	-1.5:  "poor annoying lame",
	-1.75: "dreadful painful ugly",
	-2:    "terrible awful horrible pathetic",
	-2.25: "atrocious disgusting unbearable",
}

var negators = map[string]float64{"not": -0.5, "never": -0.5, "hardly": -0.5}

var boosters = map[string]float64{
	"slightly": 0.5, "somewhat": 0.5, "fairly": 0.75, "quite": 1.25, "really": 1.25, "very": 1.5, "extremely": 1.75,
}

// values lists the cues' values in ascending order, and cuesOf their words.
var (
	values  = sortedKeys(cues)
	cuesOf  = split(cues)
	lexicon = buildLexicon()
	byWord  = index(lexicon)
)

// Lexicon lists every word of the grammar, alphabetically.
func Lexicon() []Entry { return slices.Clone(lexicon) }

// Score is the sentiment of a sentence, s_t: the sum of its cues' values, each multiplied by the modifiers directly before it
// ("not very good" is -0.5 · 1.5 · 1.25), clipped to ±3. Words outside the lexicon are neutral. Upper case is lowered.
func Score(words []string) float64 {
	sum, factor := 0.0, 1.0
	for _, word := range words {
		switch entry := byWord[strings.ToLower(word)]; entry.Kind {
		case Negator, Booster:
			factor *= entry.Value
		case Cue:
			sum += float64(factor * entry.Value)
			factor = 1
		default:
			factor = 1
		}
	}
	return clip(sum)
}

func buildLexicon() []Entry {
	var all []Entry
	for value, words := range cuesOf {
		for _, word := range words {
			all = append(all, Entry{word, Cue, value})
		}
	}
	for word, factor := range negators {
		all = append(all, Entry{word, Negator, factor})
	}
	for word, factor := range boosters {
		all = append(all, Entry{word, Booster, factor})
	}
	for _, word := range neutralWords() {
		all = append(all, Entry{Word: word})
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Word, b.Word) })
	return all
}

func index(entries []Entry) map[string]Entry {
	words := make(map[string]Entry, len(entries))
	for _, entry := range entries {
		words[entry.Word] = entry
	}
	return words
}

func split(lists map[float64]string) map[float64][]string {
	words := make(map[float64][]string, len(lists))
	for value, list := range lists {
		words[value] = strings.Fields(list)
	}
	return words
}
