package mmiln

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

// MMILN is the model of the paper, Figure 2.
type MMILN struct{ Config }

// New returns the model of a configuration, or what is wrong with it.
func New(c Config) (*MMILN, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	return &MMILN{c}, nil
}

// Tasks are the multimodal sentiment and that of audio and of vision.
func (m *MMILN) Tasks() []Task { return []Task{Multimodal, Audio, Vision} }

// Forward builds the whole network. Its variables are encoder, conv, layers/<i>/gate/<n>, layers/<i>/sag/<n> and heads.
func (m *MMILN) Forward(scope *model.Scope, in Inputs, t *taps.Taps) Output {
	text, audio, vision := m.encode(scope, in)
	s := streams{
		aux:  map[Task]masked.Sequence{Audio: audio, Vision: vision},
		pair: map[Task]masked.Sequence{Audio: text, Vision: text}, // X_ta⁰ = X_tv⁰ = X_t⁰
	}
	var out Output
	layers := scope.In("layers")
	for i := range m.Layers {
		out.Summaries = append(out.Summaries, m.fuse(layers.In("%d", i), &s, t))
	}
	out.Heads = m.heads(scope.In("heads"), s)
	return out
}

// streams are the sequences that fusion layers transform: X_a, X_v, and X_ta, X_tv by their auxiliary modality.
type streams struct{ aux, pair map[Task]masked.Sequence }

// fuse is one fusion layer, Figure 3.
func (m *MMILN) fuse(scope *model.Scope, s *streams, t *taps.Taps) Summary {
	h := Summary{Aux: map[Task]*Node{}, Pair: map[Task]*Node{}}
	gate := scope.In("gate")
	attended := map[Task]masked.Sequence{}
	for _, n := range Auxiliary {
		s.aux[n], attended[n], h.Aux[n] = m.GateTransformer(gate.In("%s", n), s.aux[n], t) // Eqs. (5), (6)
	}
	if m.Ablation == "no_gate_fusion" {
		return h
	}
	sag := scope.In("sag")
	for _, n := range Auxiliary {
		s.pair[n], h.Pair[n] = m.SAGTransformer(sag.In("%s", n), s.pair[n], attended[n], t) // Eqs. (13), (14)
	}
	return h
}

// heads pools the last layer's sequences (R13) and applies the three heads.
func (m *MMILN) heads(scope *model.Scope, s streams) []Head {
	audio, vision := s.aux[Audio].Mean(), s.aux[Vision].Mean()
	fused := []*Node{m.pool(s.pair[Audio]), m.pool(s.pair[Vision])}
	if m.Ablation == "no_gate_fusion" {
		fused = []*Node{m.pool(s.pair[Audio]), audio, vision} // R16; the pair is still X_t⁰
	}
	head := func(task Task, x *Node) Head { return NewHead(scope.In("%s", task), task, x, m.Head.Of(task)) }
	return []Head{
		head(Multimodal, Concatenate(fused, -1)), // Eq. (27): F*_m = FFN(Concat(X_ta, X_tv)), ŷ_m = FFN(F*_m)
		head(Audio, audio),                       // Eq. (28): F*_n = FFN(X_n), ŷ_n = FFN(F*_n)
		head(Vision, vision),
	}
}

func (m *MMILN) pool(x masked.Sequence) *Node {
	if m.Readings.Pool == "first" {
		return x.First()
	}
	return x.Mean()
}
