package planted

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/mmiln/workbench/data"
)

// embedding gives every word a fixed vector: its value along one direction, and a random part of norm about 1.5,
// perpendicular to that direction, by which words can be told apart.
type embedding struct {
	seed    uint64
	valence []float64
	known   map[string][]float64
}

func (c Config) embedding() embedding {
	e := embedding{seed: c.Seed, valence: c.directions(data.Text, 1)[0], known: make(map[string][]float64, len(lexicon))}
	for _, entry := range lexicon {
		e.known[entry.Word] = e.vector(entry)
	}
	return e
}

func (e embedding) vector(entry Entry) []float64 {
	hash := fnv.New64a()
	hash.Write([]byte(entry.Word))
	r := draws{rand.NewPCG(e.seed, hash.Sum64())}
	v := make([]float64, len(e.valence))
	scale := 1.5 / math.Sqrt(float64(len(v)))
	for i := range v {
		v[i] = scale * r.normal()
	}
	orthogonalize(v, e.valence)
	if entry.Kind == Cue {
		add(v, entry.Value, e.valence)
	}
	return v
}

// of returns a word's vector. A word outside the lexicon has one too, drawn from its spelling, with value 0.
func (e embedding) of(word string) []float64 {
	word = strings.ToLower(word)
	if v, ok := e.known[word]; ok {
		return v
	}
	return e.vector(Entry{Word: word})
}

// sequence is [len(words), width].
func (e embedding) sequence(words []string, noise float64, r draws) []float32 {
	features := make([]float32, 0, len(words)*len(e.valence))
	for _, word := range words {
		for _, v := range e.of(word) {
			features = append(features, float32(v+float64(noise*r.normal())))
		}
	}
	return features
}

// Embed returns the text features of words, [len(words), Width[data.Text]], row major and without noise, in the space of the
// set that c generates: what one types can be given to a model that was trained on it. It depends on Seed and on the width of
// text only. Words outside the lexicon get a vector of their own, without sentiment.
func (c Config) Embed(words []string) []float32 {
	return c.embedding().sequence(words, 0, c.draws(0, 0, forText))
}

// directions draws n orthonormal vectors for one modality. Its width must be at least n.
func (c Config) directions(m data.Modality, n int) [][]float64 {
	r := c.draws(int(m), 0, forDirections)
	all := make([][]float64, 0, n)
	for len(all) < n {
		v := make([]float64, c.Width[m])
		for i := range v {
			v[i] = r.normal()
		}
		for _, u := range all {
			orthogonalize(v, u)
		}
		norm := math.Sqrt(dot(v, v))
		for i := range v {
			v[i] /= norm
		}
		all = append(all, v)
	}
	return all
}

// orthogonalize takes from v its part along the unit vector u.
func orthogonalize(v, u []float64) { add(v, -dot(v, u), u) }

// add does v += a·u.
func add(v []float64, a float64, u []float64) {
	for i := range v {
		v[i] += float64(a * u[i])
	}
}

func dot(v, u []float64) (sum float64) {
	for i := range v {
		sum += float64(v[i] * u[i])
	}
	return sum
}
