package table_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

var quick = table.Options{Resamples: 100, Metrics: []string{"mae"}}

func refuse(t *testing.T, want string, o table.Options, groups ...table.Group) {
	t.Helper()
	_, err := table.Compute(groups, o)
	assert.ErrorContains(t, err, want)
}

func TestWhatCannotBeATableSaysWhy(t *testing.T) {
	root := t.TempDir()
	one := table.Group{Name: "one", Data: "d", Runs: fake{name: "one", noise: 1}.saveAll(t, root, 1)}
	other := table.Group{Name: "other", Data: "d", Runs: fake{name: "other", noise: 1, data: 2}.saveAll(t, root, 1)}
	reference := table.Options{Resamples: 100, Reference: "one"}

	refuse(t, "a table needs a row", quick)
	refuse(t, `row "x": it has neither runs nor scores of the paper`, quick, table.Group{Name: "x"})
	refuse(t, `no metric is called "accuracy"; there are has0_acc2`, table.Options{Metrics: []string{"accuracy"}}, one)
	refuse(t, `the paper's scores: metric: no metric is called "acc"`, quick, table.Group{Name: "x", Paper: map[string]float64{"acc": 1}})
	refuse(t, `no row with runs is called "two", to compare with; there are "one"`, table.Options{Reference: "two"}, one)
	refuse(t, `two rows are called "one" on "d"`, reference, one, one)
	refuse(t, "statistics: -1 resamples", table.Options{Resamples: -1}, one)
	refuse(t, root+"/nowhere/run.json", quick, table.Group{Name: "x", Runs: []string{root + "/nowhere"}})
	refuse(t, "were tested on different labels: \"test-000\" is", reference, one, other)
}

func TestAnUnfinishedRunIsRefusedWithWhatToDo(t *testing.T) {
	root := t.TempDir()
	for _, status := range []record.Status{record.Interrupted, record.Failed} {
		dir := fake{name: string(status), status: status}.save(t, root)
		refuse(t, dir+" is "+string(status)+", and a table shows finished runs; resume it: mmiln resume "+dir, quick, table.Group{Name: "x", Runs: []string{dir}})
	}
}

func TestRunsOfARowDifferInTheirSeedAlone(t *testing.T) {
	root := t.TempDir()
	of := func(f fake, seeds ...uint64) []string { return f.saveAll(t, root, seeds...) }
	dirs := append(of(fake{name: "a"}, 1), of(fake{name: "b", layers: 4}, 2)...)
	refuse(t, "differ in mmiln.layers (1 and 4), and the runs of a row may differ in nothing but their seed", quick, table.Group{Name: "x", Runs: dirs})
	dirs = append(of(fake{name: "c"}, 1), of(fake{name: "d", data: 2}, 2)...)
	refuse(t, "differ in data_sha256", quick, table.Group{Name: "x", Runs: dirs})
	dirs = append(of(fake{name: "e"}, 1), of(fake{name: "f"}, 1)...)
	refuse(t, "have the same seed, 1; give each seed once", quick, table.Group{Name: "x", Runs: dirs})
}

func TestRowsOfOtherDataAreComparedWithNothing(t *testing.T) {
	root := t.TempDir()
	got, err := table.Compute([]table.Group{
		{Name: "m", Data: "d1", Runs: fake{name: "m1", noise: 1}.saveAll(t, root, 1)},
		{Name: "n", Data: "d1", Runs: fake{name: "n1", noise: 1.5}.saveAll(t, root, 1)},
		{Name: "m", Data: "d2", Runs: fake{name: "m2", noise: 1, data: 2}.saveAll(t, root, 1)},
		{Name: "n", Data: "d2", Runs: fake{name: "n2", noise: 1.5, data: 2}.saveAll(t, root, 1)},
		{Name: "n", Data: "d3", Runs: fake{name: "n3", noise: 1.5, data: 3}.saveAll(t, root, 1)},
	}, table.Options{Reference: "m", Resamples: 100, Metrics: []string{"mae"}})
	require.NoError(t, err)
	var against []bool
	for i, r := range got.Rows {
		against = append(against, r.Scores[0].Against != nil)
		if i == 3 {
			assert.InDelta(t, float64(r.Scores[0].Test.Mean-got.Rows[2].Scores[0].Test.Mean), float64(r.Scores[0].Against.Value), 1e-12, "each data set has its own reference")
		}
	}
	assert.Equal(t, []bool{false, true, false, true, false}, against)
	assert.Len(t, got.Constants, 3)
}

func TestASingleSeedHasNoDeviationAndSaysSo(t *testing.T) {
	got, err := table.Compute([]table.Group{{Name: "one", Data: "d", Runs: fake{name: "one", noise: 1}.saveAll(t, t.TempDir(), 4)}}, quick)
	require.NoError(t, err)
	out := written(t, got, "terminal")
	assert.Contains(t, out, "one, d, seed 4 only")
	assert.Contains(t, out, "A single seed has no standard deviation")
	assert.NotContains(t, strings.Split(out, "\n\n")[0], "±")
	assert.Contains(t, written(t, got, "json"), `"std": null`)
}

func TestRunsInAnotherOrderAreTheSameTable(t *testing.T) {
	root := t.TempDir()
	dirs := fake{name: "one", noise: 1}.saveAll(t, root, 1, 2, 3)
	there, err := table.Compute([]table.Group{{Name: "one", Data: "d", Runs: dirs}}, quick)
	require.NoError(t, err)
	back, err := table.Compute([]table.Group{{Name: "one", Data: "d", Runs: []string{dirs[2], dirs[0], dirs[1]}}}, quick)
	require.NoError(t, err)
	assert.Equal(t, written(t, there, "json"), written(t, back, "json"))
}

func TestAnUnknownFormatNamesThoseThereAre(t *testing.T) {
	err := (&table.Table{}).Write(&bytes.Buffer{}, "html")
	assert.EqualError(t, err, `format is "html"; use one of terminal, markdown, latex, csv, json`)
}

func TestARunWithoutPredictionsIsNamed(t *testing.T) {
	dir := fake{name: "one"}.save(t, t.TempDir())
	require.NoError(t, os.Remove(dir+"/predictions/test.csv"))
	refuse(t, "no predictions for test", quick, table.Group{Name: "x", Runs: []string{dir}})
}
