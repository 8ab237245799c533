package exhibit

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln"
)

// Controls are what the reader can move.
type Controls struct {
	Example int    `json:"example"`
	Words   string `json:"words"` // a sentence of the reader's own; empty: the example's
	// Audio and Vision come from the example itself, or from one that is negative, neutral or positive in that modality.
	Audio  string   `json:"audio"`
	Vision string   `json:"vision"`
	Drop   []string `json:"drop"` // modalities withheld, as [mmiln.Config.Drop] does it

	Gates map[string]float64 `json:"gates"` // where the mean of a gate is put, by its tap
	How   string             `json:"how"`   // set: every channel and step gets that value; scale: all are multiplied

	Layer int `json:"layer"` // whose attention is shown, from 0

	Orders        int     `json:"orders"`        // R9
	Span          float64 `json:"span"`          // R10
	Orthogonality string  `json:"orthogonality"` // R11

	Label    *float64 `json:"label"`    // y_m; nil: the planted truth
	Epochs   int      `json:"epochs"`   // of momentum
	Distance string   `json:"distance"` // R17
	Guard    float64  `json:"guard"`    // R14
}

// The choices that are words.
const (
	Example = "example"
	Set     = "set"
	Scale   = "scale"
)

// Templates are the places that audio and vision can come from, beside the example itself.
var Templates = [3]string{"negative", "neutral", "positive"}

// Limits of the controls.
const (
	MaxEpochs = 30
	maxWords  = 1000 // characters
)

// Neutral leaves everything as it was trained.
func (b *Bundle) Neutral() Controls {
	return Controls{
		Audio: Example, Vision: Example, How: Set, Layer: b.Model.Layers - 1, Orders: b.Model.Readings.Orders, Span: b.Model.Readings.Span,
		Orthogonality: b.Model.Readings.Orthogonality, Epochs: min(max(b.Epoch, 1), MaxEpochs),
		Distance: b.Header.ULGM.Distance, Guard: b.Header.ULGM.Guard,
	}
}

// check names the first control that cannot be used.
func (e *Exhibit) check(c Controls) error {
	if c.Example < 0 || c.Example >= e.bundle.Shown {
		return fmt.Errorf("there is no example %d; choose 0 to %d", c.Example, e.bundle.Shown-1)
	}
	for m, source := range map[string]string{"audio": c.Audio, "vision": c.Vision} {
		if source != Example && !slices.Contains(Templates[:], source) {
			return fmt.Errorf("%s is taken from %q; choose example, %s", m, source, strings.Join(Templates[:], ", "))
		}
	}
	dropped := e.model.Config
	dropped.Drop = c.Drop
	if err := dropped.Validate(); err != nil {
		return err
	}
	if c.How != Set && c.How != Scale {
		return fmt.Errorf("gates are moved by %q; choose set or scale", c.How)
	}
	if c.Layer < 0 || c.Layer >= e.model.Layers {
		return fmt.Errorf("there is no layer %d; choose 0 to %d", c.Layer, e.model.Layers-1)
	}
	for name, value := range c.Gates {
		if !slices.Contains(e.gates, name) {
			return fmt.Errorf("there is no gate %q", name)
		}
		if !(value >= 0 && value <= 1) {
			return fmt.Errorf("gate %s is put at %v; choose 0 to 1", name, value)
		}
	}
	return c.checkReadings(e.bundle.Header.ULGM)
}

func (c Controls) checkReadings(u mmiln.ULGMConfig) error {
	if !slices.Contains(orders, c.Orders) || !slices.Contains(spans, c.Span) || !slices.Contains(orthogonalities, c.Orthogonality) {
		return fmt.Errorf("re-fusion cannot be read with %d orders, a span of %v and orthogonality %q", c.Orders, c.Span, c.Orthogonality)
	}
	if c.Label != nil && !(math.Abs(*c.Label) <= u.Limit) {
		return fmt.Errorf("the label is %v; choose -%v to %v", *c.Label, u.Limit, u.Limit)
	}
	if c.Epochs < 1 || c.Epochs > MaxEpochs {
		return fmt.Errorf("%d epochs of momentum; choose 1 to %d", c.Epochs, MaxEpochs)
	}
	u.Distance, u.Guard = c.Distance, c.Guard
	return u.Validate()
}

// words splits what the reader wrote.
func (e *Exhibit) words(c Controls) ([]string, error) {
	if strings.TrimSpace(c.Words) == "" {
		return strings.Fields(e.bundle.Infos[c.Example].Words), nil
	}
	if len(c.Words) > maxWords {
		return nil, fmt.Errorf("the sentence has more than %d characters", maxWords)
	}
	letters := strings.Map(func(r rune) rune {
		if strings.ContainsRune(",.;:!?\"()", r) {
			return ' '
		}
		return r
	}, strings.ToLower(c.Words))
	words := strings.Fields(letters)
	if steps := e.bundle.Sequences[data.Text].Steps; len(words) > steps {
		return nil, fmt.Errorf("the sentence has %d words; this model was trained on at most %d", len(words), steps)
	}
	if len(words) == 0 {
		return nil, fmt.Errorf("write at least one word")
	}
	return words, nil
}
