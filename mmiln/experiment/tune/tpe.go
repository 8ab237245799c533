package tune

import (
	"math"
	"math/rand/v2"
	"slices"
)

// TPE is the tree-structured Parzen estimator of Bergstra, Bardenet, Bengio and Kégl, "Algorithms for Hyper-Parameter
// Optimization" (NIPS 2011), Section 4. It splits the trials at the γ-quantile of their scores into good and bad ones, estimates
// a density of each, l and g, and tries the point of greatest l/g among candidates drawn from l, which maximises the expected
// improvement. Parameters are independent.
type TPE struct {
	Trials int
	Seed   uint64
}

const (
	startup    = 10   // trials drawn at random first
	generation = 4    // proposals that do not know of each other's scores; fixed, so that it does not matter how many run at once
	quantile   = 0.15 // γ, as in the paper
	candidates = 24   // drawn from l for each proposal
)

// Total is Trials.
func (t TPE) Total(Space) int { return t.Trials }

// Propose returns the random trials first, then a few at a time.
func (t TPE) Propose(space Space, done []Trial) []Point {
	rng := rand.New(rand.NewPCG(t.Seed, uint64(len(done))))
	if len(done) == 0 {
		return draw(space, rng, min(startup, t.Trials))
	}
	good, bad := split(done)
	points := make([]Point, max(0, min(generation, t.Trials-len(done))))
	for i := range points {
		points[i] = propose(space, good, bad, append(good[:len(good):len(good)], bad...), points[:i], rng)
	}
	return points
}

// split sorts the trials into those up to the γ-quantile of the scores and the rest. What failed is always bad.
func split(done []Trial) (good, bad []Point) {
	sorted := slices.Clone(done)
	slices.SortStableFunc(sorted, func(a, b Trial) int {
		switch {
		case a.Score < b.Score || !finite(b.Score) && finite(a.Score):
			return -1
		case b.Score < a.Score || !finite(a.Score) && finite(b.Score):
			return 1
		}
		return 0
	})
	n := int(math.Ceil(quantile * float64(len(sorted))))
	for i, t := range sorted {
		if i < n && finite(t.Score) {
			good = append(good, t.Point)
		} else {
			bad = append(bad, t.Point)
		}
	}
	return good, bad
}

// propose takes the candidate with the greatest l/g that was not tried yet, or the greatest of all where each was.
func propose(space Space, good, bad, tried, pending []Point, rng *rand.Rand) Point {
	var best Point
	bestGain, bestFresh := math.Inf(-1), false
	for range candidates {
		point, gain := make(Point, len(space)), 0.0
		for j, p := range space {
			l, g := estimate(p, column(good, j)), estimate(p, column(bad, j))
			point[j] = l.sample(rng)
			gain += math.Log(l.density(point[j])) - math.Log(g.density(point[j]))
		}
		same := func(other Point) bool { return slices.Equal(point, other) }
		fresh := !slices.ContainsFunc(tried, same) && !slices.ContainsFunc(pending, same)
		if best == nil || fresh && !bestFresh || fresh == bestFresh && gain > bestGain {
			best, bestGain, bestFresh = point, gain, fresh
		}
	}
	return best
}

func column(points []Point, j int) []float64 {
	out := make([]float64, len(points))
	for i, p := range points {
		out[i] = p[j]
	}
	return out
}

// estimator is the density of one parameter. A range, scaled to [0, 1], has a mixture of Gaussians around the trials, cut off at
// the ends, and of a uniform prior. Values have their counts, each one more than it occurred.
type estimator struct {
	parameter      Parameter
	centres, width []float64
	weights        []float64
}

func estimate(p Parameter, seen []float64) estimator {
	e := estimator{parameter: p}
	if !p.IsRange() {
		e.weights = make([]float64, len(p.Values))
		for i := range e.weights {
			e.weights[i] = 1 / float64(len(seen)+len(p.Values))
		}
		for _, v := range seen {
			e.weights[int(v)] += 1 / float64(len(seen)+len(p.Values))
		}
		return e
	}
	for _, v := range seen {
		e.centres = append(e.centres, p.unit(v))
	}
	slices.Sort(e.centres)
	least := 1 / float64(min(100, len(seen)+2))
	for i, c := range e.centres { // the greater distance to a neighbour, as in the paper
		left, right := c, 1-c
		if i > 0 {
			left = c - e.centres[i-1]
		}
		if i+1 < len(e.centres) {
			right = e.centres[i+1] - c
		}
		e.width = append(e.width, min(max(left, right, least), 1))
	}
	return e
}

func (e estimator) sample(rng *rand.Rand) float64 {
	if e.weights != nil {
		u := rng.Float64()
		for i, w := range e.weights {
			if u -= w; u < 0 {
				return float64(i)
			}
		}
		return float64(len(e.weights) - 1)
	}
	i := rng.IntN(len(e.centres) + 1)
	if i == len(e.centres) {
		return e.parameter.at(rng.Float64())
	}
	for range 100 {
		if u := e.centres[i] + e.width[i]*rng.NormFloat64(); u >= 0 && u <= 1 {
			return e.parameter.at(u)
		}
	}
	return e.parameter.at(e.centres[i])
}

func (e estimator) density(v float64) float64 {
	if e.weights != nil {
		return e.weights[int(v)]
	}
	u, total := e.parameter.unit(v), 1.0
	for i, c := range e.centres {
		inside := normal((1-c)/e.width[i]) - normal(-c/e.width[i])
		z := (u - c) / e.width[i]
		total += math.Exp(-z*z/2) / (e.width[i] * math.Sqrt(2*math.Pi) * inside)
	}
	return total / float64(len(e.centres)+1)
}

// normal is the standard normal distribution function.
func normal(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
