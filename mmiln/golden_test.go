package mmiln_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/internal/golden"
)

const goldenFolder = "testdata/reference/golden"

// configure reads a reference configuration.
func configure(g golden.Config) mmiln.Config {
	c := mmiln.Default()
	c.Width, c.Heads, c.FFN, c.Layers = g.Width, g.Heads, g.FFN, g.Layers
	c.AudioHidden, c.VisionHidden, c.Dropout = g.AudioHidden, g.VisionHidden, 0
	c.Head = mmiln.Heads{
		Multimodal: mmiln.HeadConfig{Width: g.HeadMultimodal},
		Audio:      mmiln.HeadConfig{Width: g.HeadAudio}, Vision: mmiln.HeadConfig{Width: g.HeadVision},
	}
	c.Alpha, c.Beta, c.FusionLoss = g.Alpha, g.Beta, g.FusionLoss
	c.Readings = mmiln.Readings{
		Memory: g.Memory, Kernel: g.Kernel, Directions: g.Directions, SummaryPool: g.SummaryPool, GateScope: g.GateScope,
		GateBias: g.GateBias, SelfAttention: g.SelfAttention, Orders: g.Orders, Span: g.Span, Orthogonality: g.Orthogonality,
		DetachNorm: g.DetachNorm, SummaryLayers: g.SummaryLayers, Pool: g.Pool,
	}
	switch {
	case g.NoMRM:
		c.Ablation = "no_mrm"
	case g.NoMFM:
		c.Ablation = "no_mfm"
	case g.NoGateFusion:
		c.Ablation = "no_gate_fusion"
	}
	return c
}

func compareAll(t *testing.T, backendName, pattern string) {
	backend, _, err := device.Open(backendName)
	if err != nil {
		t.Skipf("no %s here: %v", backendName, err)
	}
	for _, path := range golden.Files(t, goldenFolder, pattern) {
		c := golden.Read(t, path)
		t.Run(c.Name, func(t *testing.T) {
			m, err := mmiln.New(configure(c.Config))
			require.NoError(t, err)
			c.Compare(t, backend, m)
		})
	}
}

func TestEveryReadingEqualsPyTorch(t *testing.T) { compareAll(t, "go", "mmiln_*.safetensors") }

func TestXLAEqualsPyTorch(t *testing.T) { compareAll(t, "xla:cpu", "mmiln_default.safetensors") }
