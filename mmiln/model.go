// Package mmiln is the paper: "Self-supervised dynamic fusion model for multi-task and multi-modal interactive learning".
// One file a module, named after it; code that implements an equation carries its number. [MMILN] is built from
//
//	encoder.go           Eqs. (1)–(4)    LSTMs and convolutions to a common width
//	gate_transformer.go  Eqs. (5)–(12)   one auxiliary modality, audio or video, layer by layer
//	sag_transformer.go   Eqs. (13)–(23)  text attends to that modality
//	refusion.go          Eqs. (24)–(26)  similarity and difference of the layers' summaries
//	heads.go             Eqs. (27), (28) features and predictions of each task
//	ulgm.go              Eqs. (29)–(34)  pseudo-labels for audio and video
//	loss.go              Eqs. (35), (36)
//
// The package knows nothing of files, devices or training.
package mmiln

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
)

// Task is what a head predicts: the multimodal sentiment, or that of one modality alone.
type Task string

// The tasks. Self-MM has all four; MMILN has no head for text.
const (
	Multimodal Task = "multimodal"
	Text       Task = "text"
	Audio      Task = "audio"
	Vision     Task = "vision"
)

// Auxiliary are the modalities beside text, n ∈ {a, v} of the paper.
var Auxiliary = [2]Task{Audio, Vision}

// Model is anything that predicts sentiment from three masked sequences: MMILN, its ablations, every baseline.
type Model interface {
	// Tasks lists the heads, multimodal first.
	Tasks() []Task
	// Forward builds the graph of a batch. A nil t records nothing.
	Forward(scope *model.Scope, in Inputs, t *taps.Taps) Output
	// Loss is what training minimises.
	Loss(out Output, labels Labels) Loss
}

// Inputs is a batch: X [B, T_m, d_m] and lengths [B] of each modality. T_m may differ between modalities.
type Inputs struct{ Text, Audio, Vision masked.Sequence }

// Of returns one modality.
func (in Inputs) Of(task Task) masked.Sequence {
	switch task {
	case Audio:
		return in.Audio
	case Vision:
		return in.Vision
	}
	return in.Text
}

// Labels are y_m and the pseudo-labels of the other tasks, [B] each.
type Labels map[Task]*Node

// Head is what one task's head gives.
type Head struct {
	Task       Task
	Feature    *Node // F* [B, width]
	Prediction *Node // ŷ [B]
}

// Output is what a model returns of a batch.
type Output struct {
	Heads     []Head    // in the order of Tasks
	Summaries []Summary // of each fusion layer; empty for models without
}

// Summary holds the ĥ of one fusion layer, [B, d_s] each; nil where an ablation leaves none.
type Summary struct {
	Aux  map[Task]*Node // ĥ_a, ĥ_v, Eq. (7)
	Pair map[Task]*Node // ĥ_ta, ĥ_tv, Eq. (16), by the auxiliary modality
}

// Loss is Eq. (36) with its parts, scalars, and the telemetry of every layer, [layers].
type Loss struct {
	Total, Task, Sim, Diff *Node
	SimLayers, DiffLayers  *Node // nil for models without re-fusion
}
