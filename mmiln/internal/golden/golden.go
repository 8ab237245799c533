// Package golden runs a model beside the PyTorch reference: it reads the files of testdata/reference/golden, puts their weights
// into a model's variables and compares everything they hold.
package golden

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/safetensors"
)

// Config is the reference's configuration, as its files carry it.
type Config struct {
	AudioHidden    int     `json:"audio_hidden"`
	VisionHidden   int     `json:"vision_hidden"`
	AudioOutput    int     `json:"audio_output"`
	VisionOutput   int     `json:"vision_output"`
	Width          int     `json:"width"`
	Heads          int     `json:"heads"`
	FFN            int     `json:"ffn"`
	Layers         int     `json:"layers"`
	HeadMultimodal int     `json:"head_multimodal"`
	HeadText       int     `json:"head_text"`
	HeadAudio      int     `json:"head_audio"`
	HeadVision     int     `json:"head_vision"`
	Alpha          float64 `json:"alpha"`
	Beta           float64 `json:"beta"`
	FusionLoss     string  `json:"fusion_loss"`
	Memory         string  `json:"memory"`
	Kernel         int     `json:"kernel"`
	Directions     string  `json:"directions"`
	SummaryPool    string  `json:"summary_pool"`
	GateScope      string  `json:"gate_scope"`
	GateBias       bool    `json:"gate_bias"`
	SelfAttention  string  `json:"self_attention"`
	Orders         int     `json:"orders"`
	Span           float64 `json:"span"`
	Orthogonality  string  `json:"orthogonality"`
	DetachNorm     bool    `json:"detach_norm"`
	SummaryLayers  string  `json:"summary_layers"`
	Pool           string  `json:"pool"`
	TextPool       string  `json:"text_pool"`
	NoMRM          bool    `json:"no_mrm"`
	NoMFM          bool    `json:"no_mfm"`
	NoGateFusion   bool    `json:"no_gate_fusion"`
	Base           string  `json:"base"`
}

// Case is one golden file, together with what it takes from its base.
type Case struct {
	Name   string
	Config Config
	// Tensors are those of the file; Inherited those of its base.
	Tensors, Inherited *safetensors.File
}

// Files lists the golden files of a folder that match a pattern.
func Files(t testing.TB, folder, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(folder, pattern))
	require.NoError(t, err)
	require.NotEmpty(t, paths, "no golden file matches %s in %s", pattern, folder)
	return paths
}

// Read reads one file and its base.
func Read(t testing.TB, path string) *Case {
	t.Helper()
	file, err := safetensors.ReadFile(path)
	require.NoError(t, err)
	c := &Case{Name: strings.TrimSuffix(filepath.Base(path), ".safetensors"), Tensors: file}
	require.NoError(t, json.Unmarshal([]byte(file.Metadata["config"]), &c.Config))
	if c.Config.Base != "" {
		c.Inherited = Read(t, filepath.Join(filepath.Dir(path), c.Config.Base+".safetensors")).Tensors
	}
	return c
}

// of returns the file that holds a tensor: its own first, then the base.
func (c *Case) of(name string) (*safetensors.File, error) {
	if _, ok := c.Tensors.Tensors[name]; ok {
		return c.Tensors, nil
	}
	if c.Inherited != nil {
		if _, ok := c.Inherited.Tensors[name]; ok {
			return c.Inherited, nil
		}
	}
	return nil, fmt.Errorf("%s holds no %s", c.Name, name)
}

// Float32 returns a tensor's values and shape.
func (c *Case) Float32(t testing.TB, name string) ([]float32, []int) {
	t.Helper()
	file, err := c.of(name)
	require.NoError(t, err)
	values, dims, err := file.Float32(name)
	require.NoError(t, err)
	return values, dims
}

// Names lists the file's own tensors under a prefix, without it.
func (c *Case) Names(prefix string) []string {
	var names []string
	for name := range maps.Keys(c.Tensors.Tensors) {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			names = append(names, rest)
		}
	}
	slices.Sort(names)
	return names
}
