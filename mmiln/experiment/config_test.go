package experiment_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

// write makes a configuration file.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "my.toml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	return path
}

const shortest = "[data]\ndir = \"somewhere\"\n"

func TestEveryShippedConfigurationIsValid(t *testing.T) {
	assert.Subset(t, experiment.Shipped(), []string{"demo", "planted"})
	for _, name := range experiment.Shipped() {
		c, err := experiment.Load(name)
		require.NoError(t, err, name)
		assert.Equal(t, name, c.Name)
	}
}

func TestEveryShippedConfigurationSurvivesTOML(t *testing.T) {
	for _, name := range experiment.Shipped() {
		c, err := experiment.Load(name)
		require.NoError(t, err)
		assertSurvivesTOML(t, c)
	}
}

func assertSurvivesTOML(t require.TestingT, c experiment.Config) {
	text, err := c.TOML()
	require.NoError(t, err)
	again, err := experiment.Parse("again", text)
	require.NoError(t, err, string(text))
	repeated, err := again.TOML()
	require.NoError(t, err)
	require.Equal(t, string(text), string(repeated))
}

func TestAnyConfigurationSurvivesTOML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := experiment.Default()
		c.Data.Dir = rapid.StringMatching(`[ -~äß/\\"']{1,12}`).Draw(t, "dir")
		c.Seed = rapid.Uint64Range(0, 1<<63-1).Draw(t, "seed")
		c.System = rapid.SampledFrom([]string{"mmiln", "selfmm"}).Draw(t, "system")
		c.Optimiser.Audio.Rate = rapid.Float64Range(1e-12, 1).Draw(t, "rate")
		c.Train.Select = rapid.SampledFrom([]string{"loss", "mae", "corr"}).Draw(t, "select")
		c.MMILN.Drop = rapid.SampledFrom([][]string{nil, {"audio"}, {"text", "vision"}}).Draw(t, "drop")
		c.MMILN.Ablation = rapid.SampledFrom(mmiln.Ablations).Draw(t, "ablation")
		c.MMILN.Head.Audio.Dropout = rapid.Float64Range(0, 0.99).Draw(t, "dropout")
		c.MMILN.Readings.GateBias = rapid.Bool().Draw(t, "bias")
		c.ULGM.Guard = rapid.Float64Range(0, 0.99).Draw(t, "guard")
		c.Expect = rapid.SampledFrom([]map[string]float64{nil, {"mae": 0.7, "corr": 0.8}}).Draw(t, "expect")
		assertSurvivesTOML(t, c)
	})
}

func TestWhatAFileLeavesOutIsTheDefault(t *testing.T) {
	c, err := experiment.Load(write(t, shortest+"[train]\nbatch = 7\n"))
	require.NoError(t, err)
	want := experiment.Default()
	want.Data.Dir, want.Train.Batch = "somewhere", 7
	assert.Equal(t, want, c)
}

func TestAnUnknownKeyIsNamedWithItsLine(t *testing.T) {
	path := write(t, shortest+"[train]\nbatch = 16\nbatchsize = 2\n")
	_, err := experiment.Load(path)
	assert.EqualError(t, err, path+", line 5: unknown key train.batchsize; `mmiln config demo --resolved` prints every key there is")
}

func TestWhatIsNoTOMLIsNamedWithItsLine(t *testing.T) {
	for text, line := range map[string]string{
		"name = \"a\"\nseed = \n":               "line 2",
		"name = \"a\"\n\n[train\n":              "line 3",
		"[train]\nbatch = \"many\"\n":           "line 2",
		"[train]\n\nbatch = 1.5\n":              "line 3",
		"seed = -1\n":                           "line 1",
		"[mmiln.head]\naudio = 3\n":             "line 2",
		"[data]\ndir = \"a\"\ndir = \"b\"\n":    "line 3",
		"[mmiln]\nlayers = 99999999999999999\n": "[mmiln] layers",
	} {
		path := write(t, text)
		_, err := experiment.Load(path)
		assert.ErrorContains(t, err, line, text)
		assert.NotContains(t, err.Error(), "\n", text)
	}
}

func TestABadValueIsNamedWithSectionFieldAndRemedy(t *testing.T) {
	for setting, want := range map[string]string{
		"name=a b":                      `name is "a b"; use a word without spaces or slashes`,
		"name=":                         `name is ""; use a word`,
		"system=mult":                   `system is "mult"; use one of mmiln, selfmm`,
		"data.normalise=robust":         `[data] normalise is "robust"; use standard or none`,
		"data.buckets=0":                `[data] buckets is 0; use 1 to 8`,
		"train.batch=0":                 `[train] batch is 0; use 1 to 1048576`,
		"train.batch=2000000":           `[train] batch is 2000000; use 1 to 1048576`,
		"train.update_every=-1":         `[train] update_every is -1; use 1 to`,
		"train.max_epochs=0":            `[train] max_epochs is 0; use 1 to`,
		"train.patience=0":              `[train] patience is 0; use 1 to`,
		"train.partial_group=keep":      `[train] partial_group is "keep"; use drop (MMSA's way) or step`,
		"train.gradients=max":           `[train] gradients is "max"; use sum (MMSA's way) or mean`,
		"train.threshold=nan":           `[train] threshold is NaN; use a number of at least 0`,
		"train.threshold=inf":           `[train] threshold is +Inf; use a number of at least 0`,
		"train.select=accuracy":         `[train] select is "accuracy"; use loss or one of has0_acc2`,
		"optimiser.audio.rate=0":        `[optimiser] audio.rate is 0; use a positive number`,
		"optimiser.other.rate=inf":      `[optimiser] other.rate is +Inf; use a positive number`,
		"optimiser.vision.decay=-1":     `[optimiser] vision.decay is -1; use a number of at least 0`,
		"ulgm.distance=cosine":          `[ulgm] distance (R17) is "cosine"; use one of plain, printed`,
		"ulgm.guard=1":                  `[ulgm] guard (R14) is 1; use a number in [0, 1)`,
		"ulgm.limit=0":                  `[ulgm] limit is 0; use the largest label`,
		"mmiln.width=7":                 `[mmiln] width is 7; it must be even and a multiple of heads`,
		"mmiln.ablation=no_text":        `[mmiln] ablation is "no_text"; use one of none`,
		`mmiln.drop=["sound"]`:          `[mmiln] drop is "sound"; use one of text, audio, vision`,
		"mmiln.readings.orders=0":       `[mmiln] readings.orders (R9) is "0"; use one of 5`,
		"mmiln.head.multimodal.width=0": `[mmiln] head.multimodal.width is 0; use a number from 1`,
		"mmiln.head.text.width=4":       `[mmiln] head.text: this system has no such head`,
		"expect.accuracy=1":             `[expect]`,
		"expect.mae=nan":                `[expect] mae is NaN; use a number`,
		"within.mae=1":                  `[within] mae has no value in [expect]`,
	} {
		_, err := experiment.Load(write(t, shortest), setting)
		assert.ErrorContains(t, err, want, setting)
	}
	_, err := experiment.Load(write(t, shortest), "system=selfmm", "selfmm.text_pool=last")
	assert.ErrorContains(t, err, `[selfmm] text_pool is "last"; use one of first, mean`)
}

func TestSettingsOverrideTheFileInOrder(t *testing.T) {
	c, err := experiment.Load(write(t, shortest+"[mmiln]\nlayers = 5\n"),
		"name=other", "seed = 7", "mmiln.layers=2", "mmiln.layers=4", "optimiser.audio.rate=1e-4", "optimiser.other={rate=2e-4, decay=0}",
		"mmiln.head.audio={width=9, dropout=0.25}", "mmiln.head.vision.width=11", `mmiln.drop=["text"]`, "mmiln.readings.gate_bias=false",
		"train.select=corr", "data.dir=/a b/c", "expect.mae=0.7", `ulgm.distance="printed"`)
	require.NoError(t, err)
	want := experiment.Default()
	want.Name, want.Seed, want.Data.Dir, want.Train.Select = "other", 7, "/a b/c", "corr"
	want.Optimiser.Audio.Rate, want.Optimiser.Other = 1e-4, experiment.GroupConfig{Rate: 2e-4}
	want.MMILN.Layers, want.MMILN.Drop, want.MMILN.Readings.GateBias = 4, []string{"text"}, false
	want.MMILN.Head.Audio, want.MMILN.Head.Vision.Width = mmiln.HeadConfig{Width: 9, Dropout: 0.25}, 11
	want.Expect, want.ULGM.Distance = map[string]float64{"mae": 0.7}, "printed"
	assert.Equal(t, want, c)
}

func TestASettingThatCannotBeIsNamed(t *testing.T) {
	for setting, want := range map[string]string{
		"mmiln.layers":   `--set "mmiln.layers": write key=value, such as mmiln.layers=2`,
		"mmiln.layer=2":  "--set mmiln.layer=2, line 1: unknown key mmiln.layer",
		"layers=2":       "--set layers=2, line 1: unknown key layers",
		"seed=abc":       "--set seed=abc, line 1",
		"train=5":        "--set train=5, line 1",
		"=5":             "--set =5, line 1",
		"train.batch=":   "--set train.batch=, line 1",
		"mmiln.drop=all": "--set mmiln.drop=all, line 1",
	} {
		_, err := experiment.Load(write(t, shortest), setting)
		assert.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "\n", setting)
	}
}

func TestAConfigurationThatIsNotThereListsTheShippedOnes(t *testing.T) {
	_, err := experiment.Load("demmo")
	assert.ErrorContains(t, err, `no configuration "demmo": give a TOML file or one of`)
	assert.ErrorContains(t, err, "demo, mosi-selfmm, mosi, planted")
}

// Whatever the text, there is an error or a configuration that is valid and survives being written.
func FuzzParse(f *testing.F) {
	for _, name := range experiment.Shipped() {
		text, err := experiment.Source(name)
		require.NoError(f, err)
		f.Add(text)
	}
	f.Add([]byte("seed = 1979-05-27\n[mmiln.head.audio]\nwidth = 0x10"))
	f.Add([]byte("[optimiser]\naudio = {rate = inf, decay = nan}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := experiment.Parse("fuzz", text)
		if err != nil {
			return
		}
		require.NoError(t, c.Validate())
		assertSurvivesTOML(t, c)
	})
}
