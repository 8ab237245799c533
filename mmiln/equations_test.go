package mmiln_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/internal/golden"
)

// lastEquation is that of the whole loss.
const lastEquation = 36

const (
	pyTorch = "mmiln.TestEveryReadingEqualsPyTorch" // values, taps and gradients of the whole model
	numPy   = "mmiln.TestULGMEqualsNumPyOverThreeEpochs"

	torchLayers = "gomlx_ext/recurrent.TestOutputsAndGradientsMatchTorch" // LSTM and GRU
)

// equationTests names the tests that check each equation of the paper, as folder.Test.
var equationTests = map[int][]string{
	1: {pyTorch, torchLayers},
	2: {pyTorch, torchLayers},
	3: {pyTorch, "mmiln.TestTextIsConvolvedAsItsEncoderLeftIt"},
	4: {pyTorch, "gomlx_ext/masked.TestConv1DMatchesTorch"},
	5: {pyTorch}, 6: {pyTorch},
	7: {pyTorch, "gomlx_ext/masked.TestMeanMatchesTorch", torchLayers},
	8: {pyTorch}, 9: {pyTorch},
	10: {pyTorch, "gomlx_ext/attention.TestOutputProbabilitiesAndGradientsAreTorchs"},
	11: {pyTorch}, 12: {pyTorch}, 13: {pyTorch}, 14: {pyTorch}, 15: {pyTorch},
	16: {pyTorch, "gomlx_ext/masked.TestMeanMatchesTorch", torchLayers},
	17: {pyTorch}, 18: {pyTorch}, 19: {pyTorch}, 20: {pyTorch},
	21: {pyTorch, "gomlx_ext/attention.TestOutputProbabilitiesAndGradientsAreTorchs"},
	22: {pyTorch}, 23: {pyTorch},
	24: {pyTorch, "gomlx_ext/moments.TestCMDMatchesTorch", "mmiln.TestSimilarityIsTheDefinitionOfCMDForEveryReading"},
	25: {pyTorch, "mmiln.TestSimilarityIsTheDefinitionOfCMDForEveryReading"},
	26: {pyTorch, "gomlx_ext/ortho.TestLossesMatchTorch"},
	27: {pyTorch}, 28: {pyTorch},
	29: {numPy}, 30: {numPy}, 31: {numPy}, 32: {numPy}, 33: {numPy}, 34: {numPy},
	35: {pyTorch, "mmiln.TestTheTaskLossIsItsDefinition"}, 36: {pyTorch},
}

func TestEveryEquationHasCode(t *testing.T) {
	found := map[int]bool{}
	for _, root := range []string{".", "../gomlx_ext"} {
		for _, file := range parseAll(t, root, false) {
			for _, comment := range codeComments(file.syntax) {
				for _, n := range equationsIn(comment) {
					found[n] = true
				}
			}
		}
	}
	for n := 1; n <= lastEquation; n++ {
		assert.True(t, found[n], "no function has a comment with Eq. (%d)", n)
	}
}

func TestEveryEquationHasATest(t *testing.T) {
	tests := allTests(t)
	for n := 1; n <= lastEquation; n++ {
		assert.NotEmpty(t, equationTests[n], "no test checks Eq. (%d)", n)
		for _, name := range equationTests[n] {
			assert.True(t, tests[name], "%s, the test of Eq. (%d), is gone", name, n)
		}
	}
}

func TestEquationsAreReadFromCommentsOfFunctionsOnly(t *testing.T) {
	syntax, err := parser.ParseFile(token.NewFileSet(), "sample.go", `// Package p is Eq. (1).
package p

// T is Eq. (2).
type T struct{}

// F is Eq. (3), and what Eqs. (5)–(7), (9) and (11) say; (13) alone is no equation.
func F() string {
	return "Eq. (15)" // Eqs. (17), (18): a
}
`, parser.ParseComments)
	require.NoError(t, err)
	var found []int
	for _, comment := range codeComments(syntax) {
		found = append(found, equationsIn(comment)...)
	}
	assert.Equal(t, []int{3, 5, 6, 7, 9, 11, 17, 18}, found)
}

func TestEveryReadingIsSelectableOrExplained(t *testing.T) {
	selectable := map[string]bool{}
	for _, row := range mmiln.ReadingTable() {
		selectable[row.ID] = true
	}
	explained := docOf(t, "readings.go", "Readings")
	generator := docOf(t, "ulgm.go", "ULGMConfig")
	for n := 1; n <= 17; n++ {
		id := fmt.Sprintf("R%d", n)
		word := regexp.MustCompile(`\b` + id + `\b`)
		assert.True(t, selectable[id] || word.MatchString(explained), "%s is neither in ReadingTable nor in the comment of Readings", id)
		if id == "R14" || id == "R17" {
			assert.Regexp(t, word, generator, "ULGMConfig does not say which field is %s", id)
		}
	}
	assert.Contains(t, mmiln.Ablations, "no_gate_fusion", "R16 is an ablation")
}

// optionTests names the tests of options that no golden file has.
var optionTests = map[string]string{
	"orders=1": "mmiln.TestSimilarityIsTheDefinitionOfCMDForEveryReading",
	"orders=2": "mmiln.TestSimilarityIsTheDefinitionOfCMDForEveryReading",
	"orders=4": "mmiln.TestSimilarityIsTheDefinitionOfCMDForEveryReading",
	"orders=6": "mmiln.TestSimilarityIsTheDefinitionOfCMDForEveryReading",
	"orders=7": "mmiln.TestSimilarityIsTheDefinitionOfCMDForEveryReading",
}

func TestEveryOptionOfAReadingHasAGoldenFileOrATest(t *testing.T) {
	inGolden := map[string]bool{}
	for _, path := range golden.Files(t, goldenFolder, "mmiln_*.safetensors") {
		for key, value := range chosen(t, configure(golden.Read(t, path).Config).Readings) {
			inGolden[key+"="+value] = true
		}
	}
	tests := allTests(t)
	for _, row := range mmiln.ReadingTable() {
		for _, option := range row.Options {
			name := row.Key + "=" + option
			if !inGolden[name] {
				assert.True(t, tests[optionTests[name]], "%s: %s has neither golden file nor test", row.ID, name)
			}
		}
	}
}

func TestTheFirstOptionOfEveryReadingIsTheDefault(t *testing.T) {
	defaults := chosen(t, mmiln.DefaultReadings())
	var keys []string
	for _, row := range mmiln.ReadingTable() {
		keys = append(keys, row.Key)
		assert.Equal(t, row.Options[0], defaults[row.Key], row.Key)
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(defaults)), keys, "ReadingTable lists every field of Readings")
}

func TestEveryOptionOfTheLabelGeneratorHasAGoldenFile(t *testing.T) {
	seen := map[string]bool{}
	for _, path := range golden.Files(t, goldenFolder, "ulgm_*.safetensors") {
		meta := readULGM(t, path).Meta
		seen["distance="+meta.Distance], seen["centres="+meta.Centres] = true, true
		seen[fmt.Sprintf("guarded=%v", meta.Guard > 0)] = true
	}
	for _, option := range []string{"distance=plain", "distance=printed", "centres=zeros", "centres=seen", "guarded=true", "guarded=false"} {
		assert.True(t, seen[option], option)
	}
}

func TestAReadingThatIsNoOptionIsRefusedByItsName(t *testing.T) {
	for _, row := range mmiln.ReadingTable() {
		c := mmiln.Default()
		field := reflect.ValueOf(&c.Readings).Elem().FieldByNameFunc(func(name string) bool {
			f, _ := reflect.TypeFor[mmiln.Readings]().FieldByName(name)
			return f.Tag.Get("toml") == row.Key
		})
		switch field.Kind() {
		case reflect.String:
			field.SetString("nonsense")
		case reflect.Int:
			field.SetInt(-1)
		case reflect.Float64:
			field.SetFloat(-1)
		default:
			continue // both values of a bool are options
		}
		assert.ErrorContains(t, c.Validate(), fmt.Sprintf("readings.%s (%s)", row.Key, row.ID))
	}
}

// chosen are the options that readings take, by key, written as in ReadingTable.
func chosen(t *testing.T, r mmiln.Readings) map[string]string {
	text, err := json.Marshal(r)
	require.NoError(t, err)
	var fields map[string]any
	require.NoError(t, json.Unmarshal(text, &fields))
	out := map[string]string{}
	for key, value := range fields {
		out[key] = fmt.Sprint(value)
	}
	return out
}

// source is a Go file of the repository.
type source struct {
	path   string
	syntax *ast.File
}

// parseAll parses the Go files below a folder: the tests, or all others.
func parseAll(t *testing.T, root string, tests bool) []source {
	t.Helper()
	var all []source
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "testdata" {
			return fs.SkipDir
		}
		if entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") != tests {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		all = append(all, source{path, syntax})
		return err
	}))
	return all
}

// codeComments are the comments on and in functions, in order: what stands elsewhere describes, but is no code.
func codeComments(file *ast.File) []string {
	var out []string
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		for _, group := range file.Comments {
			if group == function.Doc || function.Pos() <= group.Pos() && group.End() <= function.End() {
				out = append(out, group.Text())
			}
		}
	}
	return out
}

var (
	equationList  = regexp.MustCompile(`Eqs?\.\s\(\d+\)(?:(?:–|,\s|\sand\s)\(\d+\))*`)
	equationRange = regexp.MustCompile(`\((\d+)\)(?:–\((\d+)\))?`)
)

// equationsIn reads "Eq. (7)", "Eqs. (7)–(12)" and "Eqs. (7), (16) and (19)".
func equationsIn(text string) []int {
	var out []int
	for _, list := range equationList.FindAllString(text, -1) {
		for _, match := range equationRange.FindAllStringSubmatch(list, -1) {
			first, _ := strconv.Atoi(match[1]) // the pattern takes digits only
			last := first
			if match[2] != "" {
				last, _ = strconv.Atoi(match[2])
			}
			for n := first; n <= last; n++ {
				out = append(out, n)
			}
		}
	}
	return out
}

// allTests are the tests of the model, of what it is built from and of what trains it, as folder.Test.
func allTests(t *testing.T) map[string]bool {
	found := map[string]bool{}
	for _, root := range []string{".", "../gomlx_ext"} {
		for _, file := range parseAll(t, root, true) {
			folder := filepath.ToSlash(filepath.Join("mmiln", filepath.Dir(file.path)))
			for _, declaration := range file.syntax.Decls {
				if function, ok := declaration.(*ast.FuncDecl); ok && function.Recv == nil && strings.HasPrefix(function.Name.Name, "Test") {
					found[folder+"."+function.Name.Name] = true
				}
			}
		}
	}
	return found
}

// docOf is all that is said of a type: the comment on it and those on its fields.
func docOf(t *testing.T, path, name string) string {
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	syntax, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ParseComments)
	require.NoError(t, err)
	for _, declaration := range syntax.Decls {
		types, ok := declaration.(*ast.GenDecl)
		if !ok || types.Tok != token.TYPE || types.Specs[0].(*ast.TypeSpec).Name.Name != name {
			continue
		}
		said := types.Doc.Text()
		for _, group := range syntax.Comments {
			if types.Pos() <= group.Pos() && group.End() <= types.End() {
				said += group.Text()
			}
		}
		return said
	}
	t.Fatalf("%s declares no %s", path, name)
	return ""
}
