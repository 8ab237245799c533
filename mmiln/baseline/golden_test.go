package baseline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/baseline"
	"github.com/mmiln/workbench/mmiln/internal/golden"
)

func TestSelfMMEqualsPyTorch(t *testing.T) {
	backend, _, err := device.Open("go")
	require.NoError(t, err)
	for _, path := range golden.Files(t, "../testdata/reference/golden", "selfmm_*.safetensors") {
		c := golden.Read(t, path)
		t.Run(c.Name, func(t *testing.T) {
			g := c.Config
			m, err := baseline.NewSelfMM(baseline.SelfMMConfig{
				AudioHidden: g.AudioHidden, VisionHidden: g.VisionHidden, AudioOutput: g.AudioOutput, VisionOutput: g.VisionOutput,
				TextPool: g.TextPool, FusionLoss: g.FusionLoss,
				Head: mmiln.Heads{
					Multimodal: mmiln.HeadConfig{Width: g.HeadMultimodal}, Text: mmiln.HeadConfig{Width: g.HeadText},
					Audio: mmiln.HeadConfig{Width: g.HeadAudio}, Vision: mmiln.HeadConfig{Width: g.HeadVision},
				},
			})
			require.NoError(t, err)
			c.Compare(t, backend, m)
		})
	}
}
