package tune_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/mmiln/experiment/tune"
)

var (
	rate    = tune.Parameter{Key: "rate", Low: 1e-5, High: 1e-1, Log: true}
	dropout = tune.Parameter{Key: "dropout", Low: 0, High: 0.5}
	layers  = tune.Parameter{Key: "layers", Low: 1, High: 6, Integer: true}
	choice  = tune.Parameter{Key: "pool", Values: []any{"mean", "first", "max"}}
)

// search runs a method on a function to its end.
func search(m tune.Method, space tune.Space, f func(tune.Point) float64) []tune.Trial {
	var done []tune.Trial
	for {
		points := m.Propose(space, done)
		if len(points) == 0 {
			return done
		}
		for _, p := range points {
			done = append(done, tune.Trial{Point: p, Score: f(p)})
		}
	}
}

// meanBest is the best score of a method, mean over seeds.
func meanBest(method string, trials int, space tune.Space, f func(tune.Point) float64) float64 {
	const seeds = 30
	total := 0.0
	for seed := range uint64(seeds) {
		m, _ := tune.New(method, trials, seed)
		done := search(m, space, f)
		total += done[tune.Best(done)].Score / seeds
	}
	return total
}

func square(v float64) float64 { return v * v }

// Known functions: their minima are 0.
var functions = map[string]struct {
	space tune.Space
	f     func(tune.Point) float64
}{
	"a bowl": {tune.Space{rate, dropout}, func(p tune.Point) float64 {
		return square(math.Log10(p[0])+3) + square(10*(p[1]-0.2))
	}},
	"a bowl in four parameters, one with values": {tune.Space{rate, dropout, layers, choice}, func(p tune.Point) float64 {
		return square(math.Log10(p[0])+2.2) + square(10*(p[1]-0.1)) + square(p[2]-3) + p[3]
	}},
	"Branin": {
		tune.Space{{Key: "x", Low: -5, High: 10}, {Key: "y", Low: 0, High: 15}}, func(p tune.Point) float64 {
			x, y := p[0], p[1]
			return square(y-5.1/(4*math.Pi*math.Pi)*x*x+5/math.Pi*x-6) + 10*(1-1/(8*math.Pi))*math.Cos(x) + 10 - 0.397887
		},
	},
}

func TestTPEBeatsRandomSearchOnKnownFunctions(t *testing.T) {
	for name, c := range functions {
		random, tpe := meanBest("random", 50, c.space, c.f), meanBest("tpe", 50, c.space, c.f)
		t.Logf("%s: random %.4f, tpe %.4f", name, random, tpe)
		assert.Less(t, tpe, 0.7*random, name)
	}
}

func TestTheSameSeedGivesTheSameTrialsAndAnotherDoesNot(t *testing.T) {
	c := functions["a bowl in four parameters, one with values"]
	for _, method := range []string{"random", "tpe"} {
		run := func(seed uint64) []tune.Trial {
			m, err := tune.New(method, 23, seed)
			require.NoError(t, err)
			return search(m, c.space, c.f)
		}
		assert.Equal(t, run(1), run(1), method)
		assert.NotEqual(t, run(1), run(2), method)
		assert.Len(t, run(1), 23, method)
	}
}

func TestEveryProposalLiesInItsSpace(t *testing.T) {
	space := functions["a bowl in four parameters, one with values"].space
	rapid.Check(t, func(t *rapid.T) {
		m, err := tune.New(rapid.SampledFrom([]string{"random", "tpe"}).Draw(t, "method"), rapid.IntRange(1, 30).Draw(t, "trials"), rapid.Uint64().Draw(t, "seed"))
		require.NoError(t, err)
		score := rapid.SampledFrom([]float64{0, 1, math.Inf(1), math.NaN()})
		for _, trial := range search(m, space, func(tune.Point) float64 { return score.Draw(t, "score") }) {
			p := trial.Point
			assert.True(t, p[0] >= 1e-5 && p[0] <= 1e-1, p)
			assert.True(t, p[1] >= 0 && p[1] <= 0.5, p)
			assert.True(t, p[2] >= 1 && p[2] <= 6 && p[2] == math.Trunc(p[2]), p)
			assert.Contains(t, []float64{0, 1, 2}, p[3])
		}
	})
}

func TestTPETriesNoPointTwiceWhileThereAreOthers(t *testing.T) {
	space := tune.Space{{Key: "layers", Low: 1, High: 40, Integer: true}}
	seen := map[float64]int{}
	for _, trial := range search(tune.TPE{Trials: 20, Seed: 3}, space, func(p tune.Point) float64 { return square(p[0] - 17) })[10:] {
		seen[trial.Point[0]]++
	}
	for v, n := range seen {
		assert.Equal(t, 1, n, "%v", v)
	}
}

func TestTPELearnsNothingFromTrialsThatAllFailed(t *testing.T) {
	done := search(tune.TPE{Trials: 18, Seed: 1}, tune.Space{rate}, func(tune.Point) float64 { return math.Inf(1) })
	assert.Len(t, done, 18)
	assert.Equal(t, -1, tune.Best(done))
}

func TestTheBestIsTheFirstOfTheLowest(t *testing.T) {
	assert.Equal(t, 1, tune.Best([]tune.Trial{{Score: math.NaN()}, {Score: 1}, {Score: 2}, {Score: 1}}))
	assert.Equal(t, -1, tune.Best(nil))
}

func TestASpaceThatCannotBeSearchedSaysWhy(t *testing.T) {
	for want, space := range map[string]tune.Space{
		"nothing to search":                {},
		"rate has no values":               {{Key: "rate", Values: []any{}}},
		"low must be below high":           {{Key: "rate", Low: 1, High: 1}},
		"begins above 0":                   {{Key: "rate", Low: 0, High: 1, Log: true}},
		"use finite numbers":               {{Key: "rate", Low: math.NaN(), High: 1}},
		"use whole numbers for both ends":  {{Key: "layers", Low: 1, High: 2.5, Integer: true}},
		"dropout is swept twice; remove o": {dropout, rate, dropout},
	} {
		assert.ErrorContains(t, space.Validate(), want)
	}
	_, err := tune.New("anneal", 1, 1)
	assert.ErrorContains(t, err, `method is "anneal"; use grid, random or tpe`)
}

func ExampleSpace_Settings() {
	space := tune.Space{
		{Key: "mmiln.dropout", Values: []any{0.0, 0.1}},
		{Key: "mmiln.readings.pool", Values: []any{"mean", "first"}},
	}
	for _, point := range (tune.Grid{}).Propose(space, nil) {
		fmt.Println(space.Settings(point))
	}
	// Output:
	// [mmiln.dropout=0 mmiln.readings.pool="mean"]
	// [mmiln.dropout=0 mmiln.readings.pool="first"]
	// [mmiln.dropout=0.1 mmiln.readings.pool="mean"]
	// [mmiln.dropout=0.1 mmiln.readings.pool="first"]
}
