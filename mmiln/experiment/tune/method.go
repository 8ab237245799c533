package tune

import (
	"fmt"
	"math/rand/v2"
)

// Trial is a point that was tried, and its score on validation: lower is better, and what failed has +Inf.
type Trial struct {
	Point Point
	Score float64
}

// Method chooses what to try. Its proposals depend on nothing but itself, the space and the trials so far.
type Method interface {
	// Propose returns the next points, which may be tried at the same time, or none at the end. done has the trials of all
	// earlier proposals, in their order.
	Propose(space Space, done []Trial) []Point
	// Total is how many trials there will be.
	Total(space Space) int
}

// New returns the method of a name: grid, random or tpe. Grid tries everything and ignores trials and seed.
func New(name string, trials int, seed uint64) (Method, error) {
	switch name {
	case "grid":
		return Grid{}, nil
	case "random":
		return Random{Trials: trials, Seed: seed}, nil
	case "tpe":
		return TPE{Trials: trials, Seed: seed}, nil
	}
	return nil, fmt.Errorf("method is %q; use grid, random or tpe", name)
}

// Grid tries every combination of values, the last parameter's changing fastest. Ranges have no grid.
type Grid struct{}

// Total is the product of the numbers of values.
func (Grid) Total(space Space) int {
	total := 1
	for _, p := range space {
		total *= len(p.Values)
	}
	return total
}

// Propose returns all points at once.
func (g Grid) Propose(space Space, done []Trial) []Point {
	if len(done) > 0 {
		return nil
	}
	points := make([]Point, g.Total(space))
	for i := range points {
		points[i] = make(Point, len(space))
		rest := i
		for j := len(space) - 1; j >= 0; j-- {
			n := len(space[j].Values)
			points[i][j], rest = float64(rest%n), rest/n
		}
	}
	return points
}

// Random draws every coordinate uniformly, or its logarithm (Bergstra and Bengio, 2012).
type Random struct {
	Trials int
	Seed   uint64
}

// Total is Trials.
func (r Random) Total(Space) int { return r.Trials }

// Propose returns all points at once.
func (r Random) Propose(space Space, done []Trial) []Point {
	if len(done) > 0 {
		return nil
	}
	return draw(space, rand.New(rand.NewPCG(r.Seed, 0)), r.Trials)
}

func draw(space Space, rng *rand.Rand, n int) []Point {
	points := make([]Point, n)
	for i := range points {
		points[i] = make(Point, len(space))
		for j, p := range space {
			if p.IsRange() {
				points[i][j] = p.at(rng.Float64())
			} else {
				points[i][j] = float64(rng.IntN(len(p.Values)))
			}
		}
	}
	return points
}

// Best is the number of the trial with the lowest score, the first of several; -1 where all failed.
func Best(done []Trial) int {
	best := -1
	for i, t := range done {
		if finite(t.Score) && (best < 0 || t.Score < done[best].Score) {
			best = i
		}
	}
	return best
}
