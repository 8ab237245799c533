package exhibit_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/plots/playground/exhibit"
)

func TestControlsThatCannotBeUsedAreNamed(t *testing.T) {
	b := bundle(t)
	e := open(t, b)
	for want, change := range map[string]func(*exhibit.Controls){
		"there is no example 3; choose 0 to 2":             func(c *exhibit.Controls) { c.Example = shown },
		`audio is taken from "nowhere"`:                    func(c *exhibit.Controls) { c.Audio = "nowhere" },
		`drop is "smell"`:                                  func(c *exhibit.Controls) { c.Drop = []string{"smell"} },
		"leave the model at least one modality":            func(c *exhibit.Controls) { c.Drop = []string{"text", "audio", "vision"} },
		`gates are moved by "push"; choose set or scale`:   func(c *exhibit.Controls) { c.How = "push" },
		`there is no gate "x"`:                             func(c *exhibit.Controls) { c.Gates = map[string]float64{"x": 1} },
		"is put at 2; choose 0 to 1":                       func(c *exhibit.Controls) { c.Gates = map[string]float64{gate(0, "gate.audio.g_r"): 2} },
		"there is no layer 2; choose 0 to 1":               func(c *exhibit.Controls) { c.Layer = 2 },
		"cannot be read with 9 orders":                     func(c *exhibit.Controls) { c.Orders = 9 },
		"the label is 4; choose -3 to 3":                   func(c *exhibit.Controls) { c.Label = ptr(4) },
		"the label is NaN":                                 func(c *exhibit.Controls) { c.Label = ptr(math.NaN()) },
		"31 epochs of momentum; choose 1 to 30":            func(c *exhibit.Controls) { c.Epochs = 31 },
		`distance (R17) is "far"`:                          func(c *exhibit.Controls) { c.Distance = "far" },
		"guard (R14) is 1; use a number in [0, 1)":         func(c *exhibit.Controls) { c.Guard = 1 },
		"has 9 words; this model was trained on at most 8": func(c *exhibit.Controls) { c.Words = strings.Repeat("good ", 9) },
		"write at least one word":                          func(c *exhibit.Controls) { c.Words = "?!" },
		"has more than 1000 characters":                    func(c *exhibit.Controls) { c.Words = strings.Repeat("a", 1001) },
	} {
		_, err := e.See(changed(b, change))
		assert.ErrorContains(t, err, want)
		if !strings.Contains(want, "word") && !strings.Contains(want, "characters") {
			_, err = e.Compare(changed(b, change))
			assert.ErrorContains(t, err, want)
		}
	}
}

func TestABundleReadsBackAsItWasWritten(t *testing.T) {
	b := bundle(t)
	content, err := b.Encode()
	require.NoError(t, err)
	read, err := exhibit.Decode(content)
	require.NoError(t, err)
	again, err := read.Encode()
	require.NoError(t, err)
	assert.Equal(t, content, again)
	assert.Equal(t, see(t, open(t, b), b.Neutral()), see(t, open(t, read), read.Neutral()))
}

func TestABundleWithIndicesThatPointAtNothingIsRefused(t *testing.T) {
	for want, change := range map[string]func(*exhibit.Bundle){
		"9 of 9 examples are shown":             func(b *exhibit.Bundle) { b.Shown = all },
		"there is no example 99 to take vision": func(b *exhibit.Bundle) { b.Templates[2][0] = 99 },
		"audio has 4 features, and its configuration says 7": func(b *exhibit.Bundle) {
			b.Data.Width[1] = 7
		},
	} {
		b := bundle(t)
		change(b)
		content, err := b.Encode()
		require.NoError(t, err)
		_, err = exhibit.Decode(content)
		assert.ErrorContains(t, err, want)
	}
}

func FuzzDecode(f *testing.F) {
	b, err := untrained()
	if err != nil {
		f.Fatal(err)
	}
	content, err := b.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(content)
	f.Add(content[:len(content)/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, content []byte) {
		if b, err := exhibit.Decode(content); err == nil {
			_, err = b.Encode()
			require.NoError(t, err)
		}
	})
}
