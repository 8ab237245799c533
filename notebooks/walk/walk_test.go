package walk

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/plots"
)

func TestSourceIsWhatStandsInTheFile(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	shown, err := sourceOf(root, "mmiln", "Config.GateTransformer")
	require.NoError(t, err)
	file, err := os.ReadFile(filepath.Join(root, "mmiln", "gate_transformer.go"))
	require.NoError(t, err)
	_, declared, found := strings.Cut(string(file), "\n\n// GateTransformer encodes")
	require.True(t, found)
	assert.Contains(t, shown, strings.TrimSpace("// GateTransformer encodes"+declared))
	assert.Contains(t, shown, "`mmiln/gate_transformer.go`")
}

func TestSourceShowsMethodsByTypeAndUnexportedFunctions(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	shown, err := sourceOf(root, "mmiln", "ULGM.alpha", "oneOf", "ULGM")
	require.NoError(t, err)
	assert.Contains(t, shown, "func (u *ULGM) alpha(")
	assert.Contains(t, shown, "func oneOf(")
	assert.Contains(t, shown, "type ULGM struct")
}

func TestSourceOfWhatIsNotThereIsAnError(t *testing.T) {
	root, err := Root()
	require.NoError(t, err)
	_, err = sourceOf(root, "mmiln", "NotThere")
	assert.ErrorContains(t, err, "package mmiln has no NotThere")
	_, err = sourceOf(root, "nowhere", "X")
	assert.ErrorContains(t, err, "there is no package nowhere")
	_, err = sourceOf(root, "mmiln")
	assert.ErrorContains(t, err, "say which functions")
}

func TestRootIsFoundFromAFolderBelowIt(t *testing.T) {
	t.Setenv(RootVariable, "")
	t.Setenv("GONB_DIR", "")
	root, err := Root()
	require.NoError(t, err)
	assert.FileExists(t, filepath.Join(root, "go.mod"))
}

func TestRootOutsideOfTheRepositoryNamesTheVariable(t *testing.T) {
	t.Setenv(RootVariable, "")
	t.Setenv("GONB_DIR", "")
	t.Chdir(t.TempDir())
	_, err := Root()
	assert.ErrorContains(t, err, RootVariable)
}

func TestAnswersMayBeAnyNumberTypeAndOffByAThousandth(t *testing.T) {
	for _, answer := range []any{2, 2.0, float32(2), 2.001} {
		assert.True(t, same(2.0, answer), "%v", answer)
	}
	for _, answer := range []any{2.1, -2, "two", nil, true} {
		assert.False(t, same(2.0, answer), "%v", answer)
	}
	assert.True(t, same("audio", " Audio"))
}

func TestCheckTellsRightWrongAndUnanswered(t *testing.T) {
	for answer, want := range map[any]string{nil: "not answered yet", 1.5: "is not right", 2.0: "is right"} {
		var out bytes.Buffer
		require.NoError(t, check(&out, "06.1", answer))
		assert.Contains(t, out.String(), want)
	}
	assert.ErrorContains(t, check(&bytes.Buffer{}, "99.9", 1), "there is no exercise 99.9")
}

func TestTheGeneratorItselfAnswersTheExercisesOfChapter06(t *testing.T) {
	assert.InDelta(t, 2, relabelled(1, 1, 2), 1e-6)
	assert.InDelta(t, 0.5, newShare(3), 1e-6)
}

func TestExercisesOfThePaperAreComputedFromItsTables(t *testing.T) {
	difference, err := paperDifference("MMILN", "Self-MM", "MOSI", "mae")
	require.NoError(t, err)
	assert.InDelta(t, -0.004, difference, 1e-9)
}

func TestACellOfATableIsTextWhateverItHolds(t *testing.T) {
	table := markdownTable([]string{"a", "b"}, [][]any{{"x|y <script>\n$1$", nil}, {1.23456, 7}})
	assert.Equal(t, "| a | b |\n| --- | --- |\n| x\\|y &lt;script> \\$1\\$ | – |\n| 1.235 | 7 |\n", table)
}

func TestAChartHoldsItsDataAndAPicture(t *testing.T) {
	axes := Axes{X: "step", Y: "value", Names: []string{"1", "2"}}
	for _, draw := range []func(string, string, Axes, ...Series) plots.Chart{Lines, Bars} {
		picture, err := draw("Title", "See.", axes, Series{"s", []float64{1, 2}}).SVG()
		require.NoError(t, err)
		assert.Contains(t, string(picture), "<svg")
	}
	csv := string(Lines("Lines", "See.", axes, Series{"s", []float64{1, 2}}).Table.CSV())
	assert.Equal(t, "step,s\n1,1\n2,2\n", csv)
}
