// Package planted generates a data set with the statistics of CMU-MOSI whose unimodal truths are known, so that claims
// about fusion and about pseudo-labels can be proved instead of believed.
//
// Every example has one latent sentiment per modality, s_t, s_a and s_v in [-3, 3]. They are correlated (one Gaussian shared,
// one private each) but not equal. Given s_m, the sequence of modality m is independent of the other two, so each latent can be
// read from its own modality only. In every modality the latent is the sum of a few cues among many steps that say nothing:
//
//   - text: a sentence of a small grammar. s_t is [Score] of its words, where modifiers act on the cue word that follows.
//     Each step is its word's fixed embedding, see [Config.Embed], plus noise.
//   - audio: one to three short bumps among coloured noise, a speaker's offset and bumps that mean nothing.
//   - vision: the same with longer, smoother events.
//
// The multimodal label is [Config.Label] of the three: a weighted sum, clipped to ±3 and rounded to fifths, as the mean of
// MOSI's five annotators is.
//
// The same configuration gives the same bytes on every machine: only exactly rounded operations are used, products are never
// fused into sums, and an example depends on nothing but the seed, its split and its row. A smaller set is a prefix of a larger.
package planted

import (
	"fmt"

	"github.com/mmiln/workbench/data"
)

// Split is one split in memory. Sequences are padded with zeros to [Config.Length].
type Split struct {
	Infos     []data.Info
	Sequences [3]data.Sequences
}

// Set is a generated data set.
type Set struct {
	Config             Config
	Train, Valid, Test Split
}

// Generate makes the whole set in memory. It is an error if the configuration is not [Config.Validate]d.
func Generate(c Config) (*Set, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := newGenerator(c)
	set := &Set{Config: c}
	for i, split := range []*Split{&set.Train, &set.Valid, &set.Test} {
		*split = g.split(i, c.sizes()[i])
	}
	return set, nil
}

// generator holds what all examples share.
type generator struct {
	Config
	words   embedding
	streams [3]*stream // nil for text
}

func newGenerator(c Config) *generator {
	g := &generator{Config: c, words: c.embedding()}
	for _, m := range []data.Modality{data.Audio, data.Vision} {
		g.streams[m] = newStream(c, m)
	}
	return g
}

func (g *generator) split(split, n int) Split {
	s := Split{Infos: make([]data.Info, n)}
	for _, m := range data.Modalities {
		s.Sequences[m] = data.Sequences{
			Values:  make([]float32, n*g.Length[m]*g.Width[m]),
			Lengths: make([]int32, n), Steps: g.Length[m], Width: g.Width[m],
		}
	}
	for row := range n {
		e := g.example(split, row)
		s.Infos[row] = e.Info
		for _, m := range data.Modalities {
			s.Sequences[m].Lengths[row] = int32(e.Info.Lengths[m])
			copy(s.Sequences[m].Values[row*g.Length[m]*g.Width[m]:], e.Values[m])
		}
	}
	return s
}

// example draws one example. Each purpose has a stream of random numbers of its own.
func (g *generator) example(split, row int) data.Example {
	latent := g.latents(g.draws(split, row, forLatents))
	lengths := g.lengths(g.draws(split, row, forLengths))
	words := sentence(g.draws(split, row, forWords), latent[data.Text], lengths[data.Text])
	latent[data.Text], lengths[data.Text] = Score(words), len(words)

	e := data.Example{Info: data.Info{
		ID: fmt.Sprintf("%s-%05d", data.Splits[split], row), Words: join(words), Lengths: lengths,
	}}
	for _, m := range data.Modalities {
		e.Info.Unimodal[m] = float32(latent[m])
	}
	e.Info.Label = g.Label(e.Info.Unimodal)
	e.Values[data.Text] = g.words.sequence(words, g.Noise[data.Text], g.draws(split, row, forText))
	for _, m := range []data.Modality{data.Audio, data.Vision} {
		r := g.draws(split, row, forText+purpose(m))
		e.Values[m] = g.streams[m].sequence(r, float64(e.Info.Unimodal[m]), lengths[m])
	}
	return e
}
