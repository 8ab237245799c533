package plan_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/plan"
)

// base is an experiment of two rows with two seeds.
const base = `seeds = [1, 2]
set = {train.max_epochs = 3}

[[data]]
name = "demo"
dir = ".data/demo"

[[model]]
name = "MMILN"
config = "demo"
set = {mmiln.width = 16, train.max_epochs = 4}

[[variant]]
name = "full"

[[variant]]
name = "one layer"
set = {mmiln.layers = 1}
`

const sweep = `
[tune]
method = "random"
trials = 3
[tune.sweep]
`

func expand(text string) (*plan.Plan, error) {
	f, err := plan.Parse("x.toml", []byte(text))
	if err != nil {
		return nil, err
	}
	return f.Expand("x")
}

func expanded(t *testing.T, text string) *plan.Plan {
	t.Helper()
	p, err := expand(text)
	require.NoError(t, err)
	return p
}

func TestRowsAreModelsTimesVariantsTimesDataSets(t *testing.T) {
	p := expanded(t, base+`
[[model]]
name = "Self-MM"
config = "demo"
set = {system = "selfmm"}
data = ["other"]
[[variant]]
name = "printed"
models = ["Self-MM"]
set = {ulgm.distance = "printed"}
[[data]]
name = "other"
dir = ".data/other"
set = {data.buckets = 2}
`+"")
	var rows []string
	for _, row := range p.Rows {
		rows = append(rows, row.Data+"/"+row.Name)
	}
	assert.Equal(t, []string{
		"demo/MMILN full", "demo/MMILN one layer",
		"other/MMILN full", "other/MMILN one layer", "other/Self-MM full", "other/Self-MM one layer", "other/Self-MM printed",
	}, rows[:7])
	assert.Len(t, rows, 7)
	assert.Equal(t, 2, p.Rows[2].Config.Data.Buckets)
	assert.Equal(t, ".data/other", p.Rows[2].Config.Data.Dir)
}

func TestLaterSettingsWin(t *testing.T) {
	p := expanded(t, base)
	for _, row := range p.Rows {
		assert.Equal(t, 4, row.Config.Train.MaxEpochs, "the model's over the file's")
		assert.Equal(t, 16, row.Config.MMILN.Width)
		assert.EqualValues(t, 1, row.Config.Seed)
	}
	assert.Equal(t, 2, p.Rows[0].Config.MMILN.Layers, "the base's")
	assert.Equal(t, 1, p.Rows[1].Config.MMILN.Layers, "the variant's")
	assert.Equal(t, "mmiln-one-layer-demo", p.Rows[1].Slug)
	assert.Equal(t, "full", p.Reference, "the first row")
}

func TestASweepIsASpaceInOrderOfKey(t *testing.T) {
	p := expanded(t, base+sweep+`
optimiser.other.rate = {low = 1e-4, high = 1e-2, log = true}
mmiln.dropout = [0.0, 0.1]
mmiln.readings = {pool = ["mean", "first"], orders = [3, 5]}
`)
	var all []string
	for _, parameter := range p.Rows[0].Space {
		all = append(all, parameter.String())
	}
	assert.Equal(t, []string{
		"mmiln.dropout {0,0.1}", "mmiln.readings.orders {3,5}", `mmiln.readings.pool {"mean","first"}`, "optimiser.other.rate 0.0001…0.01 (log)",
	}, all)
	assert.Equal(t, "mae", p.Search.Select)
}

// edit replaces a part of the base that must be there.
func edit(t *testing.T, old, with string) string {
	t.Helper()
	require.Contains(t, base, old)
	return strings.Replace(base, old, with, 1)
}

func TestAMistakeIsNamedWithItsPlaceAndRemedy(t *testing.T) {
	for want, text := range map[string]string{
		`x.toml, line 1, column 1: unknown key seed, did you mean "seeds"?`:                   edit(t, "seeds", "seed"),
		`line 17, column 1: unknown key variant.nam, did you mean "variant.name"?`:            edit(t, "name = \"one layer\"", "nam = \"one layer\""),
		`x.toml, line 1, column 13: negative`:                                                 edit(t, "[1, 2]", "[1, -2]"),
		`seeds is empty`:                                                                      edit(t, "[1, 2]", "[]"),
		`seeds lists 1 twice`:                                                                 edit(t, "[1, 2]", "[1, 1]"),
		`[[variant]] "one layer": set: unknown key mmiln.layer, did you mean "mmiln.layers"?`: edit(t, "mmiln.layers", "mmiln.layer"),
		`[mmiln] layers is 0; use a number from 1`:                                            edit(t, "mmiln.layers = 1", "mmiln.layers = 0"),
		`set: seed cannot be set here: list it in seeds`:                                      edit(t, "mmiln.layers", "seed"),
		`no configuration "dmeo"`:                                                             edit(t, `config = "demo"`, `config = "dmeo"`),
		`did you mean "demo"?`:                                                                edit(t, `config = "demo"`, `config = "dmeo"`),
		`[[model]] "MMILN" has no config`:                                                     edit(t, `config = "demo"`, ``),
		`two [[variant]] are called "full"`:                                                   edit(t, `"one layer"`, `"full"`),
		`a [[variant]] has no name`:                                                           edit(t, `"one layer"`, `""`),
		`rows "full" and "one layer" have the same configuration`:                             edit(t, "mmiln.layers = 1", "mmiln.layers = 2"),
		`no metric is called "mea", did you mean "mae"?`:                                      edit(t, "seeds", "metrics = [\"mea\"]\nseeds"),
		`reference is "ful", did you mean "full"?`:                                            edit(t, "seeds", "reference = \"ful\"\nseeds"),
		`[[variant]] "full": models has "MMILM", did you mean "MMILN"?`:                       edit(t, `name = "full"`, "name = \"full\"\nmodels = [\"MMILM\"]"),
		`[[data]] "demo" has no dir`:                                                          edit(t, `dir = ".data/demo"`, ""),
		`planted is "huge"; use demo, mosi or mosei`:                                          edit(t, `dir = ".data/demo"`, "dir = \"x\"\nplanted = \"huge\""),
		`there is no [[data]]`:                                                                "seeds = [1]",
		`system is "mmlin"`:                                                                   edit(t, "mmiln.layers = 1", `system = "mmlin"`),
		`beside: paper: Table 2 has no model "MOLT"`:                                          "beside = [{table = 2, row = \"MOLT\"}]\n" + base,
		`paper: table is 5; scores stand in`:                                                  "beside = [{table = 5, row = \"MOLT\"}]\n" + base,
		`Table 3 has no row "-MMR"`:                                                           edit(t, `dir = ".data/demo"`, "dir = \"x\"\npaper = \"MOSI\"") + `paper = {table = 3, row = "-MMR"}`,
	} {
		_, err := expand(text)
		assert.ErrorContains(t, err, want)
	}
}

func TestASealedBaseIsRefused(t *testing.T) {
	path := t.TempDir() + "/sealed.toml"
	require.NoError(t, os.WriteFile(path, []byte("[train]\nsealed = true\n"), 0o644))
	_, err := expand(edit(t, `config = "demo"`, fmt.Sprintf("config = %q", path)))
	assert.ErrorContains(t, err, "has train.sealed, so its runs would have no test scores")
}

func TestASearchThatCannotBeIsNamed(t *testing.T) {
	for want, more := range map[string]string{
		`[tune] method is "anneal"; use grid, random or tpe`:       strings.Replace(sweep, "random", "anneal", 1) + "mmiln.dropout = [0.1]",
		`[tune] has nothing to search`:                             sweep,
		`mmiln.dropout has no values`:                              sweep + "mmiln.dropout = []",
		`low must be below high`:                                   sweep + "mmiln.dropout = {low = 0.2, high = 0.1}",
		`a logarithmic range begins above 0`:                       sweep + "mmiln.dropout = {low = 0, high = 0.1, log = true}",
		`unknown key lgo, did you mean "log"?`:                     sweep + "mmiln.dropout = {low = 0, high = 0.1, lgo = true}",
		`is a range with one end`:                                  sweep + "mmiln.dropout = {low = 0}",
		`low is zero; low and high are numbers`:                    sweep + `mmiln.dropout = {low = "zero", high = 1}`,
		`mmiln.dropout is 0.1; write a list of values, or a range`: sweep + "mmiln.dropout = 0.1",
		`unknown key mmiln.dropuot, did you mean "mmiln.dropout"?`: sweep + "mmiln.dropuot = [0.1]",
		`dropout is 1.5; use a rate in [0, 1)`:                     sweep + "mmiln.dropout = {low = 0, high = 1.5}",
		`trials is 3; a grid has as many trials as points`:         strings.Replace(sweep, "random", "grid", 1) + "mmiln.dropout = [0.1]",
		`has a range, which has no grid`:                           strings.Replace(strings.Replace(sweep, "random", "grid", 1), "trials = 3", "", 1) + "mmiln.dropout = {low = 0, high = 0.1}",
		`[tune] trials is 0; use 1 to 10000`:                       strings.Replace(sweep, "3", "0", 1) + "mmiln.dropout = [0.1]",
		`line 1: cannot decode`:                                    sweep + "mmiln.layers = {low = 1, high = 3}", // needs integer = true
		`no metric is called "mea", did you mean "mae"?`:           strings.Replace(sweep, "trials", "select = \"mea\"\ntrials", 1) + "mmiln.dropout = [0.1]",
	} {
		_, err := expand(base + more)
		assert.ErrorContains(t, err, want)
	}
}

func TestAnExperimentThatIsNotThereNamesThoseThatAre(t *testing.T) {
	_, _, err := plan.Load("figur4")
	assert.ErrorContains(t, err, `no experiment "figur4", did you mean "figure4"?: give a TOML file or one of figure4, `)
}

func TestEveryShippedExperimentExpandsAndSaysWhatItIs(t *testing.T) {
	for _, name := range plan.Shipped() {
		p, _, err := plan.Load(name)
		require.NoError(t, err, name)
		for _, text := range []string{p.Title, p.Reproduces, p.Cost, p.Expect} {
			assert.NotEmpty(t, text, name)
		}
		assert.NotContains(t, p.Cost, "COST", name)
		if base, ok := strings.CutSuffix(name, "-planted"); ok {
			assert.Equal(t, "demo", p.Data[0].Planted, name)
			assert.Empty(t, p.Data[0].Paper, "scores of the paper do not stand beside planted data: %s", name)
			assert.Contains(t, plan.Shipped(), base)
		} else {
			assert.Contains(t, plan.Shipped(), strings.TrimSuffix(name, "-mosi")+"-planted")
			assert.NotEmpty(t, p.Data[0].Import, name)
		}
	}
}

// Whatever the table of readings has is run, and what cannot be run is said.
func TestEveryReadingIsARowOrLeftOutWithAReason(t *testing.T) {
	p, _, err := plan.Load("readings")
	require.NoError(t, err)
	var names []string
	for _, row := range p.Rows {
		names = append(names, row.Name)
	}
	for _, reading := range mmiln.ReadingTable() {
		for _, option := range reading.Options[1:] {
			assert.Contains(t, names, reading.ID+" "+reading.Key+" "+option)
		}
	}
	for _, out := range p.LeftOut {
		assert.NotEmpty(t, out.Reason)
		names = append(names, out.Name)
	}
	for _, id := range strings.Fields("R1 R2 R3 R4 R5 R6 R7 R8 R9 R10 R11 R12 R13 R14 R15 R16 R17") {
		assert.True(t, slices.ContainsFunc(names, func(name string) bool { return name == id || strings.HasPrefix(name, id+" ") }), id)
	}
}

func TestTheRowsOfTable3StandBesideThoseOfThePaper(t *testing.T) {
	p, _, err := plan.Load("table3")
	require.NoError(t, err)
	require.Len(t, p.Rows, 4)
	scores, note, err := p.Rows[1].Paper.Scores(p.Data[0].Paper)
	require.NoError(t, err)
	assert.Equal(t, "Table 3, MOSEI", note)
	assert.Equal(t, 0.586, scores["mae"])
	assert.InDelta(t, 0.8513, scores["has0_acc2"], 1e-9)
}

func FuzzParse(f *testing.F) {
	f.Add(base)
	f.Add(base + sweep + "mmiln.dropout = {low = 0, high = 0.1}")
	for _, name := range plan.Shipped() {
		_, text, err := plan.Source(name)
		require.NoError(f, err)
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "config") && strings.Contains(text, "/") {
			return // it may name any file of this machine
		}
		p, err := expand(text)
		if err != nil {
			assert.NotEmpty(t, err.Error())
			return
		}
		for _, row := range p.Rows {
			assert.NoError(t, row.Config.Validate())
		}
	})
}

func ExampleLoad() {
	p, _, err := plan.Load("figure4-planted")
	if err != nil {
		os.Exit(1)
	}
	for _, row := range p.Rows[:2] {
		os.Stdout.WriteString(row.Name + " on " + row.Data + "\n")
	}
	// Output:
	// 1 layer on planted demo
	// 2 layers on planted demo
}
