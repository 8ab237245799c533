package notebooks_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// text is a string that a notebook holds whole or in lines.
type text string

func (t *text) UnmarshalJSON(content []byte) error {
	var lines []string
	if json.Unmarshal(content, &lines) == nil {
		*t = text(strings.Join(lines, ""))
		return nil
	}
	return json.Unmarshal(content, (*string)(t))
}

type output struct {
	Type string                     `json:"output_type"`
	Name string                     `json:"name"`
	Text text                       `json:"text"`
	Data map[string]json.RawMessage `json:"data"`
}

func (o output) of(kind string) string {
	var t text
	_ = json.Unmarshal(o.Data[kind], &t) // what is not there is empty
	return string(t)
}

type cell struct {
	Type     string   `json:"cell_type"`
	Source   text     `json:"source"`
	Ran      *int     `json:"execution_count"`
	Outputs  []output `json:"outputs"`
	Metadata struct {
		Tags []string `json:"tags"`
	} `json:"metadata"`
}

type notebook struct {
	name     string
	Cells    []cell `json:"cells"`
	Metadata struct {
		Stamp struct {
			Cells   string `json:"cells_sha256"`
			Imports string `json:"imports_sha256"`
		} `json:"mmiln"`
	} `json:"metadata"`
}

func (n notebook) code() (cells []cell) {
	for _, c := range n.Cells {
		if c.Type == "code" {
			cells = append(cells, c)
		}
	}
	return cells
}

// each runs a test on every chapter.
func each(t *testing.T, test func(t *testing.T, n notebook)) {
	t.Helper()
	paths, err := filepath.Glob("*.ipynb")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	for _, path := range paths {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		n := notebook{name: path}
		require.NoError(t, json.Unmarshal(content, &n), path)
		t.Run(strings.TrimSuffix(path, ".ipynb"), func(t *testing.T) { test(t, n) })
	}
}

func TestThereIsAChapterForEachPartOfThePaper(t *testing.T) {
	for i := range 11 {
		found, err := filepath.Glob(fmt.Sprintf("%02d_*.ipynb", i))
		require.NoError(t, err)
		assert.Len(t, found, 1, "chapter %02d", i)
	}
	assert.FileExists(t, "notation.ipynb")
}

func TestOutputsAreOfTheCellsAsTheyStand(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		hash := sha256.New()
		for _, c := range n.code() {
			hash.Write([]byte(string(c.Source) + "\x00"))
		}
		assert.Equal(t, hex.EncodeToString(hash.Sum(nil)), n.Metadata.Stamp.Cells,
			"code was changed after it had run; run: python notebooks/execute.py %s", strings.TrimSuffix(n.name, ".ipynb"))
	})
}

// A change to an imported package makes outputs doubtful but not wrong: it is told, and an error only where $MMILN_STRICT is set.
func TestOutputsAreOfThePackagesAsTheyStand(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		if hashPackages(t, imported(n)) == n.Metadata.Stamp.Imports {
			return
		}
		const doubt = "a package that %s imports has changed since it ran; `python notebooks/execute.py` shows whether that matters"
		if os.Getenv("MMILN_STRICT") != "" {
			t.Errorf(doubt, n.name)
		}
		t.Logf(doubt, n.name)
	})
}

var importLine = regexp.MustCompile(`"github\.com/mmiln/workbench/([^"]+)"`)

// imported lists the packages of this repository that cells import.
func imported(n notebook) (packages []string) {
	for _, c := range n.code() {
		for _, found := range importLine.FindAllStringSubmatch(string(c.Source), -1) {
			packages = append(packages, found[1])
		}
	}
	slices.Sort(packages)
	return slices.Compact(packages)
}

// hashPackages is hash_packages of chapters.py.
func hashPackages(t *testing.T, packages []string) string {
	hash := sha256.New()
	for _, name := range packages {
		files, err := filepath.Glob(filepath.Join("..", filepath.FromSlash(name), "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			fmt.Fprintf(hash, "%s/%s\x00", name, filepath.Base(file))
			hash.Write(content)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func TestEveryCellRanWithoutAnError(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		for i, c := range n.code() {
			assert.NotNil(t, c.Ran, "code cell %d did not run", i)
			for _, o := range c.Outputs {
				assert.False(t, o.Type == "error" || o.Name == "stderr", "code cell %d: %s", i, o.Text)
			}
		}
	})
}

func TestOutputsNameNoFolderOfTheMachineTheyWereMadeOn(t *testing.T) {
	absolute := regexp.MustCompile(`(^|[\s(="])/(work|tmp|home|root|Users)/`)
	each(t, func(t *testing.T, n notebook) {
		for i, c := range n.code() {
			for _, o := range c.Outputs {
				assert.NotRegexp(t, absolute, string(o.Text)+o.of("text/markdown"), "code cell %d", i)
			}
		}
	})
}

func TestEveryChapterHoldsAChartAndTheScriptsForItOnce(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		if n.name == "notation.ipynb" {
			return
		}
		charts, setups := 0, 0
		for _, c := range n.code() {
			for _, o := range c.Outputs {
				html := o.of("text/html")
				charts += strings.Count(html, `<figure class="mmiln-chart">`)
				setups += strings.Count(html, "window.mmilnCharts = {")
			}
		}
		assert.Positive(t, charts)
		assert.Equal(t, 1, setups)
	})
}

var check = regexp.MustCompile(`walk\.Check\("(\d\d\.\d)", ([^)]*)`)

func TestEveryExerciseHasASolutionThatTheCheckCallsRight(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		var asked, solved []string
		for _, c := range n.code() {
			found := check.FindStringSubmatch(string(c.Source))
			switch {
			case found == nil:
			case found[2] == "nil":
				asked = append(asked, found[1])
			case slices.Contains(c.Metadata.Tags, "solution") && len(c.Outputs) == 1 && strings.HasSuffix(string(c.Outputs[0].Text), " is right\n"):
				solved = append(solved, found[1])
			}
		}
		assert.Equal(t, asked, solved)
		if n.name != "notation.ipynb" {
			assert.NotEmpty(t, asked)
		}
	})
}

func TestChaptersDeclareNothingThatMMILNHas(t *testing.T) {
	has := map[string]bool{}
	for _, dir := range []string{"../mmiln", "../gomlx_ext/moments", "../gomlx_ext/ortho"} {
		files, err := filepath.Glob(dir + "/*.go")
		require.NoError(t, err)
		for _, file := range files {
			syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			for _, d := range syntax.Decls {
				if f, ok := d.(*ast.FuncDecl); ok && f.Name.IsExported() {
					has[f.Name.Name] = true
				}
			}
		}
	}
	declared := regexp.MustCompile(`(?m)^func (?:\([^)]*\) )?(\w+)`)
	each(t, func(t *testing.T, n notebook) {
		for _, c := range n.code() {
			for _, found := range declared.FindAllStringSubmatch(string(c.Source), -1) {
				assert.False(t, has[found[1]], "%s is mmiln's; import it", found[1])
			}
		}
	})
}

// notMeasured are the digits that prose may hold: formulas, code and links; numbers of equations, readings, tables, figures,
// chapters and exercises; the names of metrics.
var notMeasured = regexp.MustCompile("(?s)\\$\\$.*?\\$\\$|\\$[^$]*\\$|`[^`]*`|\\[\\d\\d\\]\\([^)]*\\)|\\]\\([^)]*\\)|^# \\d\\d|" +
	`\(\d+\)|R\d+|Tables? \d+( and \d+)?|Figure \d+|[Cc]hapter \d+|Equations? [(\d)–, ]+|Eqs?\. \(\d+\)|\*\*\d\d\.\d\*\*|Acc-\d|F1|\(≥0\)|\(>0\)|95 %`)

func TestNoNumberInProseIsTypedByHand(t *testing.T) {
	each(t, func(t *testing.T, n notebook) {
		for _, c := range n.Cells {
			if c.Type == "markdown" {
				left := notMeasured.ReplaceAllString(string(c.Source), "")
				assert.NotRegexp(t, `\d`, left)
			}
		}
	})
}
