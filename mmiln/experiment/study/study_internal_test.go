package study

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/plan"
	"github.com/mmiln/workbench/mmiln/experiment/pool"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/tune"
)

func TestSeedsAreCutWhereTheyDoNotCountUpAndWhereTheyAreMany(t *testing.T) {
	for want, c := range map[string]struct {
		seeds []uint64
		most  int
	}{
		"[[1 2 3]]":       {[]uint64{3, 1, 2}, 9},
		"[[1 2] [3]]":     {[]uint64{1, 2, 3}, 2},
		"[[1] [3 4] [9]]": {[]uint64{1, 3, 4, 9}, 9},
		"[]":              {nil, 1},
	} {
		assert.Equal(t, want, fmt.Sprint(stretches(c.seeds, c.most)))
	}
}

const searching4 = `seeds = [1]
[[data]]
name = "d"
dir = "nowhere"
[[model]]
name = "m"
config = "demo"
[tune]
method = "tpe"
trials = 14
select = "corr"
[tune.sweep]
optimiser.other.rate = {low = 1e-4, high = 1e-2, log = true}
mmiln.width = [16, 33]
`

// planned is an experiment with a search, in a folder of the test.
func planned(t *testing.T) *Study {
	t.Helper()
	f, err := plan.Parse("x", []byte(searching4))
	require.NoError(t, err)
	_, err = f.Expand("x")
	require.ErrorContains(t, err, "width is 33; it must be even", "values are tried when the file is read")
	delete(f.Tune.Sweep, "mmiln")
	p, err := f.Expand("x")
	require.NoError(t, err)
	s, err := Create(t.TempDir()+"/x", p, []byte(searching4), "go", nil)
	require.NoError(t, err)
	return s
}

// fake tells what each trial scored, as if it had run.
func fake(t *testing.T, s *Study, known []Trial, score func(Trial) float64) []Trial {
	t.Helper()
	for {
		at, err := s.replay(s.manifest.Plan.Rows[0], known)
		require.NoError(t, err)
		if len(at.pending) == 0 {
			return known
		}
		for _, trial := range at.pending {
			trial.Score = record.Number(score(trial))
			known = append(known, trial)
		}
	}
}

func TestASearchThatWentOnIsTheSameAsOneThatWasLeftAlone(t *testing.T) {
	s := planned(t)
	score := func(t Trial) float64 { return math.Sin(float64(len(t.Settings[0]) + t.Number)) }
	whole := fake(t, s, nil, score)
	require.Len(t, whole, 14)
	for cut := range whole {
		require.NoError(t, s.writeTrials(append([]Trial{}, whole[:cut]...)))
		known, err := s.Trials()
		require.NoError(t, err)
		assert.Equal(t, whole, fake(t, s, known, score))
	}
}

func TestTheChosenTrialIsTheBestInTheMetricsDirection(t *testing.T) {
	s := planned(t)
	row := s.manifest.Plan.Rows[0]
	known := fake(t, s, nil, func(t Trial) float64 {
		if t.Number == 3 {
			return math.NaN()
		}
		return 0.5 - math.Abs(float64(t.Number)-7)
	})
	c, err := s.chosen(row, known)
	require.NoError(t, err)
	assert.Equal(t, 7, c.Trial.Number, "a correlation is better when it is higher")
	note := s.searchNote(row, c)
	assert.Contains(t, note, "tpe, 14 trials (1 failed), valid Corr 0.500; optimiser.other.rate 0.0001…0.01 (log); chosen optimiser.other.rate=")
	assert.False(t, c.Config.Train.Sealed, "the choice is tested")

	c, err = s.chosen(row, known[:5])
	require.NoError(t, err)
	assert.Nil(t, c, "nothing is chosen before the end")
	_, err = s.chosen(row, fake(t, s, nil, func(Trial) float64 { return math.NaN() }))
	assert.ErrorContains(t, err, `all 14 trials of row "m" failed, so nothing is selected; the logs in `)
}

func TestTrialsThatFailedAreTriedAgainUntilTheirSearchHasEnded(t *testing.T) {
	s := planned(t)
	whole := fake(t, s, nil, func(Trial) float64 { return 1 })
	whole[2].Error, whole[2].Score = "it failed", record.Number(math.NaN())
	w := &searching{Study: s, known: append([]Trial{}, whole[:8]...)}
	require.NoError(t, w.forgetFailures())
	assert.Len(t, w.known, 7)

	whole = fake(t, s, whole[:10], func(Trial) float64 { return 1 })
	w.known = append([]Trial{}, whole...)
	require.NoError(t, w.forgetFailures())
	assert.Len(t, w.known, 14)
}

func TestATrialIsSealed(t *testing.T) {
	s := planned(t)
	row := s.manifest.Plan.Rows[0]
	at, err := s.replay(row, nil)
	require.NoError(t, err)
	job, err := s.trialJob(Options{Program: []string{"mmiln"}}, row, at.pending[0])
	require.NoError(t, err)
	assert.Contains(t, job.Argv, "--no-test")
	c, err := readConfig(s.configPath(at.pending[0].name()))
	require.NoError(t, err)
	assert.True(t, c.Train.Sealed)
}

func TestProgressCountsEpochsOfUnfinishedRuns(t *testing.T) {
	status := Status{Rows: []RowStatus{{Tried: 1, Trials: 4, Runs: []RunStatus{
		{Status: record.Finished, Epochs: 10}, {Status: record.Running, Epoch: 5, Epochs: 10}, {Status: Waiting, Epochs: 10},
	}}}}
	done, total := status.Progress()
	assert.InDelta(t, 2.475, done, 1e-9)
	assert.EqualValues(t, 7, total)
}

func TestAJobGoesOnWithSeveralSeedsOfARow(t *testing.T) {
	o := Options{Pool: pool.Local{N: 4}, Program: []string{"mmiln"}}
	s := planned(t)
	job := s.job(o, todo{row: s.manifest.Plan.Rows[0], config: "m-d"}, []uint64{4, 5})
	assert.Equal(t, "m on d, seeds 4…5", job.Name)
	assert.Subset(t, job.Argv, []string{"mmiln", "train", "--continue", "--seed", "4", "--seeds", "2", "--backend", "go"})
}

func TestAScoreIsTurnedSoThatLowerIsBetter(t *testing.T) {
	assert.Equal(t, -0.5, lower(metric.Higher, Trial{Score: 0.5}))
	assert.Equal(t, 0.5, lower(metric.Lower, Trial{Score: 0.5}))
	assert.Equal(t, math.Inf(1), lower(metric.Higher, Trial{Score: record.Number(math.NaN())}))
	assert.Equal(t, -1, tune.Best([]tune.Trial{{Score: math.Inf(1)}}))
}
