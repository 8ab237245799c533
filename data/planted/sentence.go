package planted

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
)

// A sentence is clauses, "the acting was" + "not very good", joined by "and" or "but", with fillers between them.
var (
	frames = phrases("", "so", "it is", "it was", "i found it", "the %s is", "the %s was", "i thought the %s was", "to me the %s was")
	nouns  = strings.Fields("movie film story plot acting cast script music ending camera dialogue hero villain animation director pace")
	filler = phrases("um", "uh", "well", "anyway", "you know", "i mean", "last friday", "in the end", "from my side",
		"we saw this at home", "my brother came with me", "there were many people in there", "this one came out in may",
		"i will say a few words about it", "it runs for two hours")
	negatorWords = sortedKeys(negators)
	boosterWords = sortedKeys(boosters)
)

// How often a phrase is modified.
const (
	negated = 0.10
	boosted = 0.35
)

// sentence writes about n words (more only where a phrase alone is longer) that score close to target.
func sentence(r draws, target float64, n int) []string {
	cuePhrases := r.phrases(target, 1+r.below(min(3, max(1, n/4))))
	spare := n
	for _, p := range cuePhrases {
		spare -= len(p)
	}
	var clauses [][]string
	for i, p := range cuePhrases {
		if i > 0 && spare > 0 {
			clauses = append(clauses, []string{conjunction(cuePhrases[i-1], p)})
			spare--
		}
		frame := r.fitting(frames, spare)
		spare -= len(frame)
		clauses = append(clauses, slices.Concat(frame, p))
	}
	return slices.Concat(r.pad(clauses, spare)...)
}

// phrases draws k phrases whose scores add up to about target.
func (r draws) phrases(target float64, k int) [][]string {
	chosen := make([][]string, k)
	for i := range chosen {
		aim := target
		if i < k-1 {
			aim = target/float64(k-i) + float64(0.7*r.normal())
		}
		chosen[i] = r.phrase(aim)
		target -= Score(chosen[i])
	}
	return chosen
}

// phrase draws modifiers until a cue fits them within 1/8, at most four times, and keeps the best.
func (r draws) phrase(aim float64) (best []string) {
	miss := math.Inf(1)
	for try := 0; try < 4 && miss > 0.125; try++ {
		words, factor := r.modifiers()
		value := nearest(values, aim/factor)
		words = append(words, pick(r, cuesOf[value]))
		if off := math.Abs(float64(factor*value) - aim); off < miss {
			best, miss = words, off
		}
	}
	return best
}

func (r draws) modifiers() (words []string, factor float64) {
	factor = 1
	if r.uniform() < negated {
		word := pick(r, negatorWords)
		words, factor = append(words, word), factor*negators[word]
	}
	if r.uniform() < boosted {
		word := pick(r, boosterWords)
		words, factor = append(words, word), factor*boosters[word]
	}
	return words, factor
}

// pad inserts fillers of spare words in all before, between and after the clauses.
func (r draws) pad(clauses [][]string, spare int) [][]string {
	for spare > 0 {
		words := r.fitting(filler, spare)
		clauses = slices.Insert(clauses, r.below(len(clauses)+1), words)
		spare -= len(words)
	}
	return clauses
}

// fitting picks one of the lists, which are sorted by length, of at most n words and names its noun. Fillers start at one
// word and frames at none, so one always fits.
func (r draws) fitting(lists [][]string, n int) []string {
	fit, _ := slices.BinarySearchFunc(lists, max(n, 0)+1, func(list []string, n int) int { return cmp.Compare(len(list), n) })
	words := slices.Clone(pick(r, lists[:fit]))
	for i, word := range words {
		if word == "%s" {
			words[i] = pick(r, nouns)
		}
	}
	return words
}

func conjunction(before, after []string) string {
	if (Score(before) < 0) == (Score(after) < 0) {
		return "and"
	}
	return "but"
}

// neutralWords lists the words of frames, fillers and conjunctions once each.
func neutralWords() []string {
	words := append(slices.Clone(nouns), "and", "but")
	words = append(words, slices.Concat(frames...)...)
	words = append(words, slices.Concat(filler...)...)
	slices.Sort(words)
	return slices.DeleteFunc(slices.Compact(words), func(word string) bool { return word == "%s" })
}

func phrases(texts ...string) [][]string {
	lists := make([][]string, len(texts))
	for i, text := range texts {
		lists[i] = strings.Fields(text)
	}
	slices.SortStableFunc(lists, func(a, b []string) int { return cmp.Compare(len(a), len(b)) })
	return lists
}

func pick[E any](r draws, from []E) E { return from[r.below(len(from))] }

// nearest returns the element of sorted that is closest to v, the lower one of two.
func nearest(sorted []float64, v float64) float64 {
	i, _ := slices.BinarySearch(sorted, v)
	if i == len(sorted) || i > 0 && v-sorted[i-1] <= sorted[i]-v {
		i--
	}
	return sorted[i]
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func join(words []string) string { return strings.Join(words, " ") }
