package mmiln

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Config holds every width, reading and weight of MMILN. Start from [Default]. The paper gives the number of fusion layers
// (3) and says that what lies outside them is Self-MM's; the rest is R15's: chosen on validation, never on test.
type Config struct {
	Width        int     `toml:"width" json:"width"`               // d_s, common to all sequences; even, a multiple of Heads
	Heads        int     `toml:"heads" json:"heads"`               // of MH-ATT
	FFN          int     `toml:"ffn" json:"ffn"`                   // hidden width of Eqs. (12) and (23)
	Layers       int     `toml:"layers" json:"layers"`             // l, fusion layers
	AudioHidden  int     `toml:"audio_hidden" json:"audio_hidden"` // width of the LSTM of Eq. (1)
	VisionHidden int     `toml:"vision_hidden" json:"vision_hidden"`
	Dropout      float64 `toml:"dropout" json:"dropout"` // in attention and FFN

	Head Heads `toml:"head" json:"head"`

	Alpha      float64 `toml:"alpha" json:"alpha"`             // weight of ℓ_sim in Eq. (36)
	Beta       float64 `toml:"beta" json:"beta"`               // weight of ℓ_diff
	FusionLoss string  `toml:"fusion_loss" json:"fusion_loss"` // l2: Eq. (35) as printed; l1: Self-MM's

	Ablation string `toml:"ablation" json:"ablation"` // one of [Ablations]
	// Drop lists modalities that the model must do without: it sees one zero step instead, and their heads leave the loss.
	Drop []string `toml:"drop" json:"drop"`

	Readings Readings `toml:"readings" json:"readings"`
}

// HeadConfig is one task's head, Eqs. (27) and (28): the width of F* and the dropout on its input.
type HeadConfig struct {
	Width   int     `toml:"width" json:"width"`
	Dropout float64 `toml:"dropout" json:"dropout"`
}

// Heads holds the head of each task; the ones that a model lacks stay empty.
type Heads struct {
	Multimodal HeadConfig `toml:"multimodal" json:"multimodal"`
	Text       HeadConfig `toml:"text,omitempty" json:"text,omitzero"`
	Audio      HeadConfig `toml:"audio" json:"audio"`
	Vision     HeadConfig `toml:"vision" json:"vision"`
}

// Of returns the head of one task.
func (h Heads) Of(task Task) HeadConfig {
	return map[Task]HeadConfig{Multimodal: h.Multimodal, Text: h.Text, Audio: h.Audio, Vision: h.Vision}[task]
}

// Widths are those of F* by task.
func (h Heads) Widths(tasks []Task) map[Task]int {
	widths := map[Task]int{}
	for _, task := range tasks {
		widths[task] = h.Of(task).Width
	}
	return widths
}

// Default is the model of the paper at d_s = 128 with Self-MM's encoders and heads for MOSI.
func Default() Config {
	return Config{
		Width: 128, Heads: 8, FFN: 512, Layers: 3, AudioHidden: 16, VisionHidden: 32, Dropout: 0.1,
		Head: Heads{
			Multimodal: HeadConfig{Width: 128},
			Audio:      HeadConfig{Width: 16, Dropout: 0.1},
			Vision:     HeadConfig{Width: 32},
		},
		Alpha: 0.3, Beta: 0.1, FusionLoss: "l2", Ablation: "none", Readings: DefaultReadings(),
	}
}

// Ablations are those of Table 3; "none" is the full model.
var Ablations = []string{"none", "no_mrm", "no_mfm", "no_gate_fusion"}

// Validate names the first field that cannot be used, its value and what is allowed.
func (c Config) Validate() error {
	for name, value := range map[string]int{
		"width": c.Width, "heads": c.Heads, "ffn": c.FFN, "layers": c.Layers,
		"audio_hidden": c.AudioHidden, "vision_hidden": c.VisionHidden,
	} {
		if value < 1 || value > 1<<16 {
			return fmt.Errorf("%s is %d; use a number from 1 to %d", name, value, 1<<16)
		}
	}
	if c.Width%2 != 0 || c.Width%c.Heads != 0 {
		return fmt.Errorf("width is %d; it must be even and a multiple of heads, %d", c.Width, c.Heads)
	}
	if err := Rate("dropout", c.Dropout); err != nil {
		return err
	}
	for name, weight := range map[string]float64{"alpha": c.Alpha, "beta": c.Beta} {
		if !(weight >= 0) || math.IsInf(weight, 0) {
			return fmt.Errorf("%s is %v; use a finite weight of at least 0", name, weight)
		}
	}
	if err := oneOf("fusion_loss", c.FusionLoss, "l2", "l1"); err != nil {
		return err
	}
	if err := oneOf("ablation", c.Ablation, Ablations...); err != nil {
		return err
	}
	if err := c.validateDrop(); err != nil {
		return err
	}
	if err := c.Head.Validate(Multimodal, Audio, Vision); err != nil {
		return err
	}
	return c.Readings.Validate()
}

func (c Config) validateDrop() error {
	for _, name := range c.Drop {
		if err := oneOf("drop", name, string(Text), string(Audio), string(Vision)); err != nil {
			return err
		}
	}
	if len(c.Drop) > 2 {
		return fmt.Errorf("drop lists %v; leave the model at least one modality", c.Drop)
	}
	return nil
}

// Validate checks that the given tasks, and no others, have a usable head.
func (h Heads) Validate(tasks ...Task) error {
	for _, task := range []Task{Multimodal, Text, Audio, Vision} {
		head := h.Of(task)
		if !slices.Contains(tasks, task) {
			if head != (HeadConfig{}) {
				return fmt.Errorf("head.%s: this system has no such head; it has %v", task, tasks)
			}
			continue
		}
		if head.Width < 1 || head.Width > 1<<16 {
			return fmt.Errorf("head.%s.width is %d; use a number from 1 to %d", task, head.Width, 1<<16)
		}
		if err := Rate(fmt.Sprintf("head.%s.dropout", task), head.Dropout); err != nil {
			return err
		}
	}
	return nil
}

// Rate checks a dropout rate.
func Rate(field string, value float64) error {
	if !(value >= 0 && value < 1) {
		return fmt.Errorf("%s is %v; use a rate in [0, 1)", field, value)
	}
	return nil
}

func oneOf(field, value string, allowed ...string) error {
	if !slices.Contains(allowed, value) {
		return fmt.Errorf("%s is %q; use one of %s", field, value, strings.Join(allowed, ", "))
	}
	return nil
}

// dropped says whether a modality is withheld from the model.
func (c Config) dropped(task Task) bool { return slices.Contains(c.Drop, string(task)) }
