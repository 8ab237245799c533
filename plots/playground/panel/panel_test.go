package panel_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/plots/playground/exhibit"
	"github.com/mmiln/workbench/plots/playground/panel"
)

// view has one word, one gate and a course of pseudo-labels that ends beyond the axis.
func view(word string) *exhibit.View {
	course := make([]float64, exhibit.MaxEpochs)
	for i := range course {
		course[i] = float64(i)
	}
	const gate = "layers.0.sag.audio.g_r"
	return &exhibit.View{
		Words: []string{word}, Lengths: [3]int{1, 2, 1}, Predictions: map[mmiln.Task]float32{mmiln.Multimodal: -1.234, mmiln.Audio: 7},
		Gates: map[string]exhibit.Gate{gate: {Computed: 0.5, Moved: 0.25}},
		Attention: map[string][]float32{
			"layers.0.sag.audio.self.probabilities": {1, 0}, "layers.0.sag.audio.attention.probabilities": {0.75, 0.25, 0},
		},
		Pseudo: []exhibit.Pseudo{{Task: mmiln.Audio, Course: course, Clipped: true}, {Task: mmiln.Vision, Course: course, Label: -0.001}},
	}
}

func controls() exhibit.Controls { return exhibit.Controls{Epochs: 1, Gates: map[string]float64{}} }

// text is what a reader reads of well-formed markup.
func text(t require.TestingT, markup panel.Markup) string {
	var all strings.Builder
	decoder := xml.NewDecoder(strings.NewReader("<div>" + string(markup) + "</div>"))
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return all.String()
		}
		require.NoError(t, err, markup)
		if chars, ok := token.(xml.CharData); ok {
			all.Write(chars)
			all.WriteByte(' ')
		}
	}
}

func TestEveryRegionIsWellFormedWhateverTheWords(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		word := rapid.StringOf(rapid.RuneFrom([]rune(`<>&"'/=abc é{}`))).Draw(r, "word")
		for _, markup := range panel.Seen(view(word), controls()).Regions {
			text(r, markup)
		}
		assert.Contains(r, text(r, panel.Seen(view("x"+word), controls()).Regions["words"]), "x"+word)
	})
}

func TestNumbersHaveARealMinusAndZeroHasNone(t *testing.T) {
	a := panel.Seen(view("good"), controls())
	assert.Contains(t, text(t, a.Regions["outcome"]), "−1.23")
	assert.Contains(t, text(t, a.Regions["outcome"]), "+7.00")
	assert.NotContains(t, text(t, a.Regions["labels"]), "−0.00")
}

func TestWhatIsBeyondTheAxisStandsAtItsEnd(t *testing.T) {
	assert.Contains(t, string(panel.Seen(view("good"), controls()).Regions["outcome"]), `class="predicted" d="M-5 0A5 5 0 1 0 5 0A5 5 0 1 0 -5 0Z" transform="translate(212 12)"`)
}

func TestAMovedGateSaysWhatItWas(t *testing.T) {
	c := controls()
	assert.Equal(t, "0.25", panel.Seen(view("good"), c).Gates["layers.0.sag.audio.g_r"].Text)
	c.Gates["layers.0.sag.audio.g_r"] = 0.25
	assert.Equal(t, "0.25, was 0.50", panel.Seen(view("good"), c).Gates["layers.0.sag.audio.g_r"].Text)
}

func TestWhoListensHearsWhatChanged(t *testing.T) {
	c := controls()
	c.Drop = []string{"vision"}
	c.Gates["layers.0.sag.audio.g_r"] = 0.25
	assert.Equal(t, "Predicted sentiment −1.23, planted truth 0.00. Pseudo-label of audio 0.00. Pseudo-label of video 0.00. Withheld: video. Gates moved: 1.",
		panel.Seen(view("good"), c).Said)
}

func TestTheChosenNumberOfMomentsIsNamedNotOnlyShown(t *testing.T) {
	r := &exhibit.Refusion{Examples: 3, Orders: 2, Similarity: [][]float32{{0.1}, {0.2}}, Difference: []float32{0.3}}
	assert.Contains(t, text(t, panel.Compared(r).Regions["refusion"]), "2 ◀ chosen")
}

func TestWithoutAnythingToCompareThePanelSaysSo(t *testing.T) {
	assert.Contains(t, text(t, panel.Compared(&exhibit.Refusion{}).Regions["refusion"]), "nothing to compare")
}
