package mmiln

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/recurrent"
)

// encode returns X_m⁰ [B, T_m, d_s] of each modality, zero at padded steps.
func (c Config) encode(scope *model.Scope, in Inputs) (text, audio, vision masked.Sequence) {
	in = c.withhold(in)
	memories, convolutions := scope.In("encoder"), scope.In("conv")
	convolve := func(task Task, memory masked.Sequence) masked.Sequence {
		return masked.Conv1D(convolutions.In("%s", task), memory, c.Width, c.Readings.Kernel) // Eq. (4): X_m⁰ = Conv(M_m)
	}
	text = convolve(Text, c.text(in.Text))
	audio = convolve(Audio, c.LSTM(memories.In("%s", Audio), in.Audio, c.AudioHidden))      // Eq. (1): M_a = LSTM(X_a; θ_a)
	vision = convolve(Vision, c.LSTM(memories.In("%s", Vision), in.Vision, c.VisionHidden)) // Eq. (2): M_v = LSTM(X_v; θ_v)
	return text, audio, vision
}

// text is M_t. Eq. (3): M_t = BERT(X_t; θ_t). The encoder stands before the model: X_t already holds its states.
func (c Config) text(x masked.Sequence) masked.Sequence {
	if c.Readings.Memory == "last" {
		return single(x.First())
	}
	return x
}

// LSTM is M_n: the states [B, T, hidden] of a one-layer LSTM, or its last valid state alone (R1).
func (c Config) LSTM(scope *model.Scope, x masked.Sequence, hidden int) masked.Sequence {
	states, last := recurrent.New(recurrent.LSTM, scope.In("lstm"), x.X, hidden).Lengths(x.Lengths).Done()
	if c.Readings.Memory == "last" {
		return single(last)
	}
	return x.Over(states)
}

// single is a sequence of one step, x [B, d].
func single(x *Node) masked.Sequence {
	lengths := AddScalar(ZerosLike(ConvertDType(Slice(x, AxisRange(), AxisElem(0)), lengthType)), 1)
	return masked.New(InsertAxes(x, 1), Reshape(lengths, x.Shape().Dim(0)))
}

// withhold replaces each dropped modality by one zero step.
func (c Config) withhold(in Inputs) Inputs {
	for i, seq := range []*masked.Sequence{&in.Text, &in.Audio, &in.Vision} {
		if c.dropped([]Task{Text, Audio, Vision}[i]) {
			first := Slice(seq.X, AxisRange(), AxisElem(0))
			*seq = single(ZerosLike(Reshape(first, seq.X.Shape().Dim(0), seq.X.Shape().Dim(2))))
		}
	}
	return in
}
