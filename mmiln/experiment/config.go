// Package experiment trains and evaluates: configuration, the training loop, run folders and what is read from them.
package experiment

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/mmiln/workbench/gomlx_ext/adam"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/baseline"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

// Config is one experiment, read from TOML. Its files are in configs/, each with a head that says what it reproduces, what it
// costs and what to expect.
type Config struct {
	Name   string `toml:"name" json:"name"`     // of the run folders
	System string `toml:"system" json:"system"` // mmiln or selfmm
	Seed   uint64 `toml:"seed" json:"seed"`     // everything random derives from it

	Data      DataConfig            `toml:"data" json:"data"`
	Text      TextConfig            `toml:"text" json:"text"`
	Train     TrainConfig           `toml:"train" json:"train"`
	Optimiser OptimiserConfig       `toml:"optimiser" json:"optimiser"`
	ULGM      mmiln.ULGMConfig      `toml:"ulgm" json:"ulgm"`
	MMILN     mmiln.Config          `toml:"mmiln" json:"mmiln"`
	SelfMM    baseline.SelfMMConfig `toml:"selfmm" json:"selfmm"`

	// Expect holds test scores, by metric, that the configuration gives; shown beside what came out.
	Expect map[string]float64 `toml:"expect,omitempty" json:"expect,omitempty"`
	// Within holds how far from them a score may be on another backend, processor or seed; a run ends by saying whether it is.
	Within map[string]float64 `toml:"within,omitempty" json:"within,omitempty"`
}

// DataConfig says what is read and how it reaches the model.
type DataConfig struct {
	Dir       string `toml:"dir" json:"dir"`             // a folder that `mmiln data import` wrote
	Normalise string `toml:"normalise" json:"normalise"` // standard (mean 0, variance 1 over training steps) or none
	Buckets   int    `toml:"buckets" json:"buckets"`     // padded lengths that batches may have; each is compiled once
	// Pool is 0 for batches at random, as MMSA has them, or the number of batches whose examples are sorted by length of text
	// among each other, so that little is padded. As many as an update sums leave each update the examples of batches at random;
	// more pad less, but an update then sees texts of few lengths, which can cost accuracy.
	Pool int `toml:"pool" json:"pool"`
}

// TrainConfig is the training loop of Self-MM, which MMILN inherits.
type TrainConfig struct {
	Batch        int     `toml:"batch" json:"batch"`
	UpdateEvery  int     `toml:"update_every" json:"update_every"`   // batches whose gradients are summed before a step
	PartialGroup string  `toml:"partial_group" json:"partial_group"` // what becomes of the last, shorter group: drop (MMSA) or step
	Gradients    string  `toml:"gradients" json:"gradients"`         // sum (MMSA) or mean over the batches of a group
	MaxEpochs    int     `toml:"max_epochs" json:"max_epochs"`
	Patience     int     `toml:"patience" json:"patience"`   // epochs without a better validation score
	Threshold    float64 `toml:"threshold" json:"threshold"` // by how much it must be better
	Select       string  `toml:"select" json:"select"`       // loss, or a metric, on validation
	// Sealed ends a run with the selection of its best epoch: the test split is never opened. Trials of a search run so.
	Sealed bool `toml:"sealed" json:"sealed"`
}

// OptimiserConfig holds Adam's parameter groups.
type OptimiserConfig struct {
	Text   GroupConfig `toml:"text" json:"text"`   // a fine-tuned encoder; its biases and norms do not decay
	Audio  GroupConfig `toml:"audio" json:"audio"` // the encoder of audio
	Vision GroupConfig `toml:"vision" json:"vision"`
	Other  GroupConfig `toml:"other" json:"other"`
}

// GroupConfig is a learning rate with its L2 decay.
type GroupConfig struct {
	Rate  float64 `toml:"rate" json:"rate"`
	Decay float64 `toml:"decay" json:"decay"`
}

// Default has Self-MM's training for MOSI.
func Default() Config {
	return Config{
		Name: "mmiln", System: "mmiln", Seed: 1111,
		Data: DataConfig{Normalise: "standard", Buckets: 1}, Text: TextConfig{Mode: "features", MaxLength: 50, Precision: "float32"},
		Train: TrainConfig{
			Batch: 16, UpdateEvery: 4, PartialGroup: "drop", Gradients: "sum", MaxEpochs: 100, Patience: 8, Threshold: 1e-6,
			Select: "loss",
		},
		Optimiser: OptimiserConfig{
			Text: GroupConfig{5e-5, 1e-3}, Audio: GroupConfig{5e-3, 1e-3}, Vision: GroupConfig{5e-3, 1e-3}, Other: GroupConfig{1e-3, 1e-3},
		},
		ULGM: mmiln.DefaultULGM(), MMILN: mmiln.Default(), SelfMM: baseline.DefaultSelfMM(),
	}
}

//go:embed configs/*.toml
var shipped embed.FS

// Shipped lists the names of the configurations that come with the program.
func Shipped() []string {
	paths, _ := fs.Glob(shipped, "configs/*.toml") // the pattern is fixed and valid
	for i, p := range paths {
		paths[i] = strings.TrimSuffix(path.Base(p), ".toml")
	}
	return paths
}

// Source returns the text of a configuration: a file, or the name of one that is shipped.
func Source(nameOrPath string) ([]byte, error) {
	if slices.Contains(Shipped(), nameOrPath) {
		return shipped.ReadFile("configs/" + nameOrPath + ".toml")
	}
	text, err := os.ReadFile(nameOrPath)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no configuration %q: give a TOML file or one of %s", nameOrPath, strings.Join(Shipped(), ", "))
	}
	return text, err
}

// Load reads a configuration over the defaults, then applies settings such as "mmiln.layers=2", in order.
func Load(nameOrPath string, settings ...string) (Config, error) {
	c := Default()
	text, err := Source(nameOrPath)
	if err != nil {
		return c, err
	}
	if err := decode(nameOrPath, text, &c); err != nil {
		return c, err
	}
	return c.With(settings...)
}

// With applies settings such as "mmiln.layers=2", in order.
func (c Config) With(settings ...string) (Config, error) {
	c.Expect, c.Within, c.MMILN.Drop = maps.Clone(c.Expect), maps.Clone(c.Within), slices.Clone(c.MMILN.Drop) // a setting must not reach the caller's
	for _, setting := range settings {
		if err := apply(setting, &c); err != nil {
			return c, err
		}
	}
	return c, c.Validate()
}

// Parse reads a resolved configuration, as a run folder holds it.
func Parse(name string, text []byte) (Config, error) {
	c := Default()
	if err := decode(name, text, &c); err != nil {
		return c, err
	}
	return c, c.Validate()
}

// TOML is the whole resolved configuration.
func (c Config) TOML() ([]byte, error) { return toml.Marshal(c) }

func decode(name string, text []byte, c *Config) error {
	decoder := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	err := decoder.Decode(c)
	var unknown *toml.StrictMissingError
	var invalid *toml.DecodeError
	switch {
	case errors.As(err, &unknown):
		first := unknown.Errors[0]
		row, _ := first.Position()
		return fmt.Errorf("%s, line %d: unknown key %s; `mmiln config demo --resolved` prints every key there is", name, row, strings.Join(first.Key(), "."))
	case errors.As(err, &invalid):
		row, _ := invalid.Position()
		return fmt.Errorf("%s, line %d: %s", name, row, strings.TrimPrefix(invalid.Error(), "toml: "))
	case err != nil:
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// apply sets one key=value; a value that is not TOML is taken as a string.
func apply(setting string, c *Config) error {
	key, value, ok := strings.Cut(setting, "=")
	if !ok {
		return fmt.Errorf("--set %q: write key=value, such as mmiln.layers=2", setting)
	}
	line := strings.TrimSpace(key) + " = "
	var probe map[string]any
	if toml.Unmarshal([]byte(line+value), &probe) != nil {
		value = fmt.Sprintf("%q", value)
	}
	return decode(fmt.Sprintf("--set %s", setting), []byte(line+value), c)
}

// Validate names the first field that cannot be used.
func (c Config) Validate() error {
	if c.Name == "" || strings.ContainsAny(c.Name, "/\\ \t\n") {
		return fmt.Errorf("name is %q; use a word without spaces or slashes", c.Name)
	}
	if err := c.Data.validate(); err != nil {
		return fmt.Errorf("[data] %w", err)
	}
	if err := c.Text.validate(); err != nil {
		return fmt.Errorf("[text] %w", err)
	}
	if err := c.Train.validate(); err != nil {
		return fmt.Errorf("[train] %w", err)
	}
	if err := c.Optimiser.validate(); err != nil {
		return fmt.Errorf("[optimiser] %w", err)
	}
	if err := c.ULGM.Validate(); err != nil {
		return fmt.Errorf("[ulgm] %w", err)
	}
	if err := c.validateExpectations(); err != nil {
		return err
	}
	_, err := c.Model()
	return err
}

// ExpectNothing drops what the configuration expects, which decides nothing of a run and says nothing of a changed one.
func (c *Config) ExpectNothing() { c.Expect, c.Within = nil, nil }

func (c Config) validateExpectations() error {
	for _, name := range slices.Sorted(maps.Keys(c.Expect)) {
		if _, err := metric.Better(name); err != nil {
			return fmt.Errorf("[expect] %w", err)
		}
		if value := c.Expect[name]; math.IsNaN(value) || math.IsInf(value, 0) {
			return fmt.Errorf("[expect] %s is %v; use a number", name, value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Within)) {
		if _, known := c.Expect[name]; !known {
			return fmt.Errorf("[within] %s has no value in [expect]", name)
		}
		if value := c.Within[name]; !(value >= 0) || math.IsInf(value, 0) {
			return fmt.Errorf("[within] %s is %v; use a number of at least 0", name, value)
		}
	}
	return nil
}

// Model builds the system that the configuration names.
func (c Config) Model() (mmiln.Model, error) {
	switch c.System {
	case "mmiln":
		m, err := mmiln.New(c.MMILN)
		if err != nil {
			return nil, fmt.Errorf("[mmiln] %w", err)
		}
		return m, nil
	case "selfmm":
		m, err := baseline.NewSelfMM(c.SelfMM)
		if err != nil {
			return nil, fmt.Errorf("[selfmm] %w", err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("system is %q; use one of mmiln, selfmm", c.System)
}

// heads are those of the system.
func (c Config) heads() mmiln.Heads {
	if c.System == "selfmm" {
		return c.SelfMM.Head
	}
	return c.MMILN.Head
}

// fusionLoss is how validation scores the multimodal head.
func (c Config) fusionLoss() string {
	if c.System == "selfmm" {
		return c.SelfMM.FusionLoss
	}
	return c.MMILN.FusionLoss
}

func (d DataConfig) validate() error {
	if d.Normalise != "standard" && d.Normalise != "none" {
		return fmt.Errorf("normalise is %q; use standard or none", d.Normalise)
	}
	if d.Buckets < 1 || d.Buckets > 8 {
		return fmt.Errorf("buckets is %d; use 1 to 8", d.Buckets)
	}
	if d.Pool < 0 || d.Pool > 1<<16 {
		return fmt.Errorf("pool is %d; use 0, or a number of batches such as 4", d.Pool)
	}
	return nil
}

func (t TrainConfig) validate() error {
	for name, value := range map[string]int{
		"batch": t.Batch, "update_every": t.UpdateEvery, "max_epochs": t.MaxEpochs, "patience": t.Patience,
	} {
		if value < 1 || value > 1<<20 {
			return fmt.Errorf("%s is %d; use 1 to %d", name, value, 1<<20)
		}
	}
	if t.PartialGroup != "drop" && t.PartialGroup != "step" {
		return fmt.Errorf("partial_group is %q; use drop (MMSA's way) or step", t.PartialGroup)
	}
	if t.Gradients != "sum" && t.Gradients != "mean" {
		return fmt.Errorf("gradients is %q; use sum (MMSA's way) or mean", t.Gradients)
	}
	if !(t.Threshold >= 0) || math.IsInf(t.Threshold, 0) {
		return fmt.Errorf("threshold is %v; use a number of at least 0", t.Threshold)
	}
	if t.Select == "loss" {
		return nil
	}
	if _, err := metric.Better(t.Select); err != nil {
		return fmt.Errorf("select is %q; use loss or one of %s", t.Select, strings.Join(metric.Names(), ", "))
	}
	return nil
}

func (o OptimiserConfig) validate() error {
	for name, group := range map[string]GroupConfig{"text": o.Text, "audio": o.Audio, "vision": o.Vision, "other": o.Other} {
		if !(group.Rate > 0) || math.IsInf(group.Rate, 0) {
			return fmt.Errorf("%s.rate is %v; use a positive number", name, group.Rate)
		}
		if !(group.Decay >= 0) || math.IsInf(group.Decay, 0) {
			return fmt.Errorf("%s.decay is %v; use a number of at least 0", name, group.Decay)
		}
	}
	return nil
}

// groups are Adam's: each encoder has its own, as in Self-MM.
func (o OptimiserConfig) groups() (*adam.Optimiser, error) {
	return adam.New(
		adam.Group{
			Prefixes: []string{textScope + "/"}, Rate: o.Text.Rate, Decay: o.Text.Decay,
			Undecayed: []string{"/bias", "/LayerNorm/"}, // MMSA's no_decay
		},
		adam.Group{Prefixes: []string{"/encoder/audio/"}, Rate: o.Audio.Rate, Decay: o.Audio.Decay},
		adam.Group{Prefixes: []string{"/encoder/vision/"}, Rate: o.Vision.Rate, Decay: o.Vision.Decay},
		adam.Group{Rate: o.Other.Rate, Decay: o.Other.Decay},
	)
}
