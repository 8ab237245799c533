package planted

import (
	"math"
	"math/rand/v2"
)

// limit of every label, as in MOSI.
const limit = 3.0

// spread is the standard deviation of a latent before clipping. It gives labels the 1.5 of MOSI (there 1.57).
const spread = 1.7

// latents draws s_m = clip(spread·(√ρ·shared + √(1−ρ)·private_m)). The one of text is only aimed at: words are discrete, and
// their [Score] takes its place.
func (c Config) latents(r draws) (s [3]float64) {
	shared := r.normal()
	for m := range s {
		// The conversions forbid fusing a product into the sum; so everywhere in this package.
		z := float64(math.Sqrt(c.Correlation)*shared) + float64(math.Sqrt(1-c.Correlation)*r.normal())
		s[m] = clip(spread * z)
	}
	return s
}

// Label is the multimodal truth as a function of the unimodal ones: Σ Weights[m]·unimodal[m], clipped to ±3 and rounded to
// fifths, half to even.
func (c Config) Label(unimodal [3]float32) float32 {
	sum := 0.0
	for m, w := range c.Weights {
		sum += float64(w * float64(unimodal[m]))
	}
	return float32(math.RoundToEven(5*clip(sum))/5 + 0) // no negative zero
}

func clip(v float64) float64 { return min(max(v, -limit), limit) }

// quantiles of the number of words in MOSI's 2199 utterances at 0, 10, 25, 50, 75, 90, 99 and 100 %; the last is cut from 114.
var quantiles = []struct {
	share float64
	words int
}{{0, 2}, {0.10, 5}, {0.25, 7}, {0.50, 10}, {0.75, 16}, {0.90, 23}, {0.99, 45}, {1, 50}}

// lengths draws the number of words, and two to three steps of audio and of video per word, each cut to Length.
func (c Config) lengths(r draws) (n [3]int) {
	words := wordCount(r.uniform())
	n[0] = min(words, c.Length[0])
	for m := 1; m < len(n); m++ {
		steps := 2*words + r.below(words+1)
		n[m] = min(max(steps, minLength), c.Length[m])
	}
	return n
}

// wordCount interpolates between the quantiles.
func wordCount(share float64) int {
	for i := 1; ; i++ {
		low, high := quantiles[i-1], quantiles[i]
		if share < high.share {
			part := (share - low.share) / (high.share - low.share)
			return low.words + int(part*float64(high.words-low.words))
		}
	}
}

// purpose separates the random numbers of one example.
type purpose uint64

const (
	forLatents purpose = iota
	forLengths
	forWords
	forText // the noise of text; audio and vision follow
	forAudio
	forVision
	forDirections // shared by all examples
)

// draws is a stream of random numbers that is the same on every machine. math/rand/v2's NormFloat64 may differ in the last
// bit between processors, and IntN between 32 and 64 bits, so it has its own.
type draws struct{ *rand.PCG }

func (c Config) draws(split, row int, p purpose) draws {
	key := uint64(p)<<56 | uint64(split)<<48 | uint64(row)
	return draws{rand.NewPCG(c.Seed, mix(key))}
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014); it spreads keys that differ in a few bits.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// uniform is in [0, 1).
func (r draws) uniform() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// below is in [0, n), n < 2³².
func (r draws) below(n int) int { return int((r.Uint64() >> 32) * uint64(n) >> 32) }

// normal is the centred sum of twelve uniform numbers: mean 0, variance 1, within ±6, and exact in floating point.
func (r draws) normal() float64 {
	sum := 0
	for range 3 {
		x := r.Uint64()
		sum += int(x&0xffff) + int(x>>16&0xffff) + int(x>>32&0xffff) + int(x>>48)
	}
	return float64(sum-12*0xffff/2) / (1 << 16)
}
