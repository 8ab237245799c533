// Package baseline holds the systems that MMILN is compared with, one file each.
package baseline

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/linear"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
)

// SelfMMConfig holds the widths of Self-MM, as MMSA 2.2.1 has them.
type SelfMMConfig struct {
	AudioHidden   int         `toml:"audio_hidden" json:"audio_hidden"` // of the LSTMs
	VisionHidden  int         `toml:"vision_hidden" json:"vision_hidden"`
	AudioOutput   int         `toml:"audio_output" json:"audio_output"` // what the heads see
	VisionOutput  int         `toml:"vision_output" json:"vision_output"`
	AudioDropout  float64     `toml:"audio_dropout" json:"audio_dropout"` // between LSTM and output
	VisionDropout float64     `toml:"vision_dropout" json:"vision_dropout"`
	TextPool      string      `toml:"text_pool" json:"text_pool"` // first: BERT's [CLS]; mean: for word vectors
	FusionLoss    string      `toml:"fusion_loss" json:"fusion_loss"`
	Head          mmiln.Heads `toml:"head" json:"head"`
}

// DefaultSelfMM is MMSA's configuration for MOSI.
func DefaultSelfMM() SelfMMConfig {
	return SelfMMConfig{
		AudioHidden: 16, VisionHidden: 32, AudioOutput: 16, VisionOutput: 32, TextPool: "first", FusionLoss: "l1",
		Head: mmiln.Heads{
			Multimodal: mmiln.HeadConfig{Width: 128},
			Text:       mmiln.HeadConfig{Width: 32, Dropout: 0.1},
			Audio:      mmiln.HeadConfig{Width: 16, Dropout: 0.1},
			Vision:     mmiln.HeadConfig{Width: 32},
		},
	}
}

// SelfMM is Yu et al., "Learning Modality-Specific Representations with Self-Supervised Multi-Task Learning for Multimodal
// Sentiment Analysis", AAAI 2021, as its authors' toolbox implements it.
type SelfMM struct{ SelfMMConfig }

// NewSelfMM returns the model of a configuration, or what is wrong with it.
func NewSelfMM(c SelfMMConfig) (*SelfMM, error) {
	for name, width := range map[string]int{
		"audio_hidden": c.AudioHidden, "vision_hidden": c.VisionHidden, "audio_output": c.AudioOutput, "vision_output": c.VisionOutput,
	} {
		if width < 1 {
			return nil, fmt.Errorf("%s is %d; use at least 1", name, width)
		}
	}
	if c.TextPool != "first" && c.TextPool != "mean" {
		return nil, fmt.Errorf("text_pool is %q; use one of first, mean", c.TextPool)
	}
	if c.FusionLoss != "l1" && c.FusionLoss != "l2" {
		return nil, fmt.Errorf("fusion_loss is %q; use one of l1, l2", c.FusionLoss)
	}
	for name, value := range map[string]float64{"audio_dropout": c.AudioDropout, "vision_dropout": c.VisionDropout} {
		if err := mmiln.Rate(name, value); err != nil {
			return nil, err
		}
	}
	m := &SelfMM{c}
	return m, c.Head.Validate(m.Tasks()...)
}

// Tasks are the multimodal sentiment and that of each modality.
func (m *SelfMM) Tasks() []mmiln.Task {
	return []mmiln.Task{mmiln.Multimodal, mmiln.Text, mmiln.Audio, mmiln.Vision}
}

// Forward builds Section 3.2 and 3.3 of the paper: one vector a modality, a head over their concatenation and one over each.
func (m *SelfMM) Forward(scope *model.Scope, in mmiln.Inputs, t *taps.Taps) mmiln.Output {
	encoders := scope.In("encoder")
	x := map[mmiln.Task]*Node{
		mmiln.Text:   m.text(in.Text),
		mmiln.Audio:  encode(encoders.In("audio"), in.Audio, m.AudioHidden, m.AudioOutput, m.AudioDropout),
		mmiln.Vision: encode(encoders.In("vision"), in.Vision, m.VisionHidden, m.VisionOutput, m.VisionDropout),
	}
	x[mmiln.Multimodal] = Concatenate([]*Node{x[mmiln.Text], x[mmiln.Audio], x[mmiln.Vision]}, -1)
	var out mmiln.Output
	heads := scope.In("heads")
	for _, task := range m.Tasks() {
		if task != mmiln.Multimodal {
			t.Add(scope, "encoded."+string(task), x[task])
		}
		out.Heads = append(out.Heads, mmiln.NewHead(heads.In("%s", task), task, x[task], m.Head.Of(task)))
	}
	return out
}

func (m *SelfMM) text(x masked.Sequence) *Node {
	if m.TextPool == "mean" {
		return x.Mean()
	}
	return x.First()
}

// encode is MMSA's AuViSubNet: the last valid state of an LSTM, dropout, a linear layer: [B, output].
func encode(scope *model.Scope, x masked.Sequence, hidden, output int, rate float64) *Node {
	_, last := recurrent.New(recurrent.LSTM, scope.In("lstm"), x.X, hidden).Lengths(x.Lengths).Done()
	return linear.Dense(scope.In("linear"), dropout.Apply(scope.In("dropout"), last, rate), output)
}

// Loss is the weighted sum of Section 3.5: the L1 of the fusion task and the tanh-weighted L1 of each modality's.
func (m *SelfMM) Loss(out mmiln.Output, labels mmiln.Labels) mmiln.Loss {
	task := mmiln.TaskLoss(out.Heads, labels, m.FusionLoss)
	return mmiln.Loss{Total: task, Task: task, Sim: ZerosLike(task), Diff: ZerosLike(task)}
}
