package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment"
)

// fail runs what must not work: one or two lines that say what is wrong and what to do.
func fail(t *testing.T, want string, args ...string) {
	t.Helper()
	stdout, _, err := run(t, args...)
	if !assert.Error(t, err, "mmiln %s", strings.Join(args, " ")) {
		return
	}
	message := err.Error()
	assert.Contains(t, message, want)
	assert.LessOrEqual(t, strings.Count(strings.TrimSpace(message), "\n"), 1, message)
	assert.NotContains(t, message, "panic")
	assert.NotContains(t, message, "goroutine")
	assert.NotContains(t, message, ".go:")
	assert.Empty(t, stdout)
	assert.Equal(t, 1, exitCode(err))
}

// wrong is a command line and what its error must say.
type wrong struct {
	args string // separated by blanks
	want string
}

func failAll(t *testing.T, cases []wrong) {
	t.Helper()
	for _, c := range cases {
		fail(t, c.want, strings.Fields(c.args)...)
	}
}

func TestACommandLineThatCannotBeSaysWhatToWrite(t *testing.T) {
	workplace(t, 1)
	failAll(t, []wrong{
		{"nonsense", `unknown command "nonsense" for "mmiln"`},
		{"data nonsense", `unknown command "nonsense" for "mmiln data"`},
		{"train", "accepts 1 arg(s), received 0"},
		{"train tiny.toml --nonsense", "unknown flag: --nonsense"},
		{"train tiny.toml --seed x", `invalid argument "x" for "--seed" flag`},
		{"train tiny.toml --seeds 0", "--seeds is 0; use at least 1"},
		{"train demmo", `no configuration "demmo": give a TOML file or one of`},
		{"train tiny.toml --set mmiln.layer=2", "--set mmiln.layer=2, line 1: unknown key mmiln.layer"},
		{"train tiny.toml --set mmiln.layers", `--set "mmiln.layers": write key=value`},
		{"train tiny.toml --set mmiln.layers=0", "[mmiln] layers is 0; use a number from 1"},
		{"train tiny.toml --backend nonsense", `--backend "nonsense" is unknown: use auto, go, xla:cpu`},
		{"train tiny.toml --backend xla:nonsense", `no XLA plugin for "nonsense"`},
		{"train tiny.toml --backend /no/plugin.so", "--backend /no/plugin.so: "},
		{"config nonsense", `no configuration "nonsense": give a TOML file or one of`},
		{"config demo --set train.batch=none", "--set train.batch=none, line 1"},
		{"eval", `required flag(s) "run" not set`},
		{"export runs/x", `required flag(s) "out" not set`},
	})
	assert.NoDirExists(t, "runs", "nothing was begun")
}

func TestDataThatAreNotThereSayHowToMakeThem(t *testing.T) {
	workplace(t, 1)
	require.NoError(t, os.Mkdir("empty", 0o755))
	failAll(t, []wrong{
		{"train demo --backend go", "there is no data set at .data/demo; make one with mmiln data planted --out .data/demo"},
		{"train tiny.toml --data empty --backend go", "empty: it is not the folder of a data set"},
		{"data describe nowhere", "nowhere: it is not the folder of a data set"},
		{"data verify nowhere", "nowhere"},
		{"data import nowhere.pkl --out new", "nowhere.pkl"},
		{"data import tiny.toml --out new", "tiny.toml"},
		{"data import nowhere.csv --out new", "nowhere.csv"},
		{"data planted --size huge --out new", `--size is "huge"; use demo, mosi or mosei`},
		{"data planted --size demo --out set", "set exists; choose another folder, or remove it first (--force)"},
		{"data planted --size demo --out empty --force", "--force replaces data sets only, and empty is none: it has no card.json"},
	})
	assert.NoDirExists(t, "new")
	assert.NoDirExists(t, "runs")
}

func TestADamagedDataSetIsNamed(t *testing.T) {
	workplace(t, 1)
	arrays, err := filepath.Glob("set/*.npy")
	require.NoError(t, err)
	require.NotEmpty(t, arrays)
	info, err := os.Stat(arrays[0])
	require.NoError(t, err)
	require.NoError(t, os.Truncate(arrays[0], info.Size()-4))
	fail(t, filepath.Base(arrays[0]), "data", "verify", "set")
	fail(t, filepath.Base(arrays[0]), "train", "tiny.toml", "--backend", "go")
	assert.NoDirExists(t, "runs")
}

func TestAFolderThatIsNoRunIsNamed(t *testing.T) {
	workplace(t, 1)
	require.NoError(t, os.Mkdir("empty", 0o755))
	for _, dir := range []string{"empty", "nowhere", "tiny.toml"} {
		failAll(t, []wrong{
			{"eval --backend go --run " + dir, dir + "/run.json"},
			{"predict --backend go --run " + dir, dir + "/run.json"},
			{"resume --backend go " + dir, dir + "/run.json"},
			{"export --out x.safetensors " + dir, dir + "/run.json"},
			{"runs " + dir, dir + "/run.json"},
			{"drift " + dir, dir + "/run.json"},
		})
	}
	entries, err := os.ReadDir("empty")
	require.NoError(t, err)
	assert.Empty(t, entries, "nothing is left in a folder that is no run")
	fail(t, "no runs yet: there is no folder runs; train something, such as: mmiln train demo", "runs")
}

func TestARunThatIsNotTrainedSaysSo(t *testing.T) {
	workplace(t, 1)
	_, _, err := run(t, "train", "tiny.toml", "--backend", "go", "--set", "optimiser.other.rate=1e38")
	require.ErrorContains(t, err, "lower the learning rates")
	dir := runFolder(t)
	require.ErrorContains(t, err, "(run folder: "+dir+")")
	failAll(t, []wrong{
		{"eval --backend go --run " + dir, dir + " has no trained model"},
		{"predict --backend go --run " + dir, dir + " has no trained model"},
		{"export --out x.safetensors " + dir, dir + " has no trained model"},
		{"drift " + dir, dir + " has no epoch yet"},
	})
	assert.NoFileExists(t, "x.safetensors")
	assert.Contains(t, succeed(t, "runs"), "failed")
}

func TestWhatATrainedRunCannotDoSaysSo(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	dir := runFolder(t)
	other := small()
	other.Width = [3]int{6, 7, 5}
	_, err := other.Save("wide")
	require.NoError(t, err)
	failAll(t, []wrong{
		{"eval --backend go --split dev --run " + dir, `--split is "dev"; use train, valid or test`},
		{"eval --backend go --data nowhere --run " + dir, "nowhere: it is not the folder of a data set"},
		{"predict --backend go --data wide --run " + dir, "audio has 7 features and the model was trained on 4"},
		{"resume --backend go " + dir, dir + " has finished and cannot be resumed"},
		{"export " + dir + " --out weights.toml", `--out is "weights.toml"; name a file that ends in .safetensors`},
		{"export " + dir + " --out nowhere/weights.safetensors", "nowhere/weights"},
	})
	assert.NoFileExists(t, "weights.toml")
}

func TestARunsFolderThatCannotBeWrittenSaysWhatToDo(t *testing.T) {
	workplace(t, 1)
	fail(t, "(a file stands where a folder should be; choose another path)", "train", "tiny.toml", "--backend", "go", "--runs", "tiny.toml/runs")
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	require.NoError(t, os.Mkdir("locked", 0o555))
	fail(t, "(choose a folder that you may write to, or change its permissions)", "train", "tiny.toml", "--backend", "go", "--runs", "locked")
}

func TestABrokenRunLeavesTheListGood(t *testing.T) {
	workplace(t, 1)
	succeed(t, "train", "tiny.toml", "--backend", "go")
	require.NoError(t, os.MkdirAll("runs/broken", 0o755))
	require.NoError(t, os.WriteFile("runs/broken/run.json", []byte("{"), 0o644))
	stdout, stderr, err := run(t, "runs")
	require.NoError(t, err)
	assert.Contains(t, stdout, "finished")
	assert.Contains(t, stderr, "runs/broken/run.json is damaged")
}

func TestAFailedImportKeepsTheDataSetItWouldReplace(t *testing.T) {
	workplace(t, 1)
	before, err := os.ReadFile("set/card.json")
	require.NoError(t, err)
	fail(t, "tiny.toml", "data", "import", "tiny.toml", "--out", "set", "--force")
	after, err := os.ReadFile("set/card.json")
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after))
	assert.NoDirExists(t, "set.fresh")
}

func TestAnInterruptIsExitCode130(t *testing.T) {
	assert.Equal(t, 130, exitCode(errors.Join(experiment.ErrInterrupted)))
	assert.Equal(t, 1, exitCode(errors.New("anything else")))
}

func TestEveryExampleInTheHelpIsAValidCommandLine(t *testing.T) {
	var visit func(*cobra.Command)
	seen := 0
	visit = func(c *cobra.Command) {
		if c.Name() == "help" || c.Name() == "completion" { // cobra's own
			return
		}
		assert.NotEmpty(t, c.Example, "%s has no example", c.CommandPath())
		assert.NotEmpty(t, c.Short, c.CommandPath())
		for _, line := range examples(c.Example) {
			seen++
			checkExample(t, line)
		}
		for _, sub := range c.Commands() {
			visit(sub)
		}
	}
	visit(root())
	assert.Greater(t, seen, 15)
}

// examples are the command lines of a help text, without comments, redirections and pipes.
func examples(text string) []string {
	var lines []string
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		for _, end := range []string{"#", ">", "|"} {
			line, _, _ = strings.Cut(line, end)
		}
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

var shellWord = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)

// shellWords splits at blanks outside of quotes, as far as examples need.
func shellWords(line string) (words []string) {
	for _, word := range shellWord.FindAllString(line, -1) {
		words = append(words, strings.Trim(word, `"'`))
	}
	return words
}

func checkExample(t *testing.T, line string) {
	t.Helper()
	words := shellWords(line)
	require.Equal(t, "mmiln", words[0], line)
	command, rest, err := root().Find(words[1:])
	require.NoError(t, err, line)
	require.NoError(t, command.ParseFlags(rest), line)
	require.NoError(t, command.ValidateArgs(command.Flags().Args()), line)
	require.NoError(t, command.ValidateRequiredFlags(), line)
	if command.Name() == "train" {
		name := command.Flags().Arg(0)
		if !strings.HasSuffix(name, ".toml") {
			_, err := experiment.Load(name)
			require.NoError(t, err, line)
		}
	}
}
