package exhibit

import (
	"fmt"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
)

// gateNames are the taps of a model's gates, layer by layer.
func gateNames(c mmiln.Config) []string {
	var names []string
	for i := range c.Layers {
		for _, part := range []string{"gate", "sag"} {
			if c.Ablation == "no_mfm" || part == "sag" && c.Ablation == "no_gate_fusion" {
				continue
			}
			for _, n := range mmiln.Auxiliary {
				for _, gate := range gatesOf(part) {
					names = append(names, fmt.Sprintf("layers.%d.%s.%s.%s", i, part, n, gate))
				}
			}
		}
	}
	return names
}

func gatesOf(part string) []string {
	if part == "sag" {
		return []string{"g_r", "g_c", "g_s"}
	}
	return []string{"g_r", "g_c"}
}

// forward builds the model with its gates in the reader's hand. Its arguments are x and lengths of text, audio and vision, then
// moves [gates, 3]: gate i becomes g·(m + s/mean(g)) + a with m, s, a = moves[i], so that 1, 0, 0 leaves it bit by bit as it is.
//
// It returns predictions [tasks, B], F* [B, width] of each task, the means of the gates as computed and as moved [gates, B]
// each, the attention that steps receive (see attentionNames) [B, K] each, and the ĥ of every layer [B, d_s] in the order of
// summaries.
func (e *Exhibit) forward(scope *model.Scope, args []*Node) []*Node {
	in := mmiln.Inputs{
		Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
	}
	h := hand{gates: e.gates, in: in, moves: args[6], computed: make([]*Node, len(e.gates)), moved: make([]*Node, len(e.gates))}
	t := taps.New(scope)
	t.Replace(h.move)
	out := e.model.Forward(scope, in, t)
	var predictions, results []*Node
	for _, head := range out.Heads {
		predictions = append(predictions, head.Prediction)
		results = append(results, head.Feature)
	}
	results = append([]*Node{Stack(predictions, 0)}, results...)
	if len(e.gates) > 0 {
		results = append(results, Stack(h.computed, 0), Stack(h.moved, 0))
	}
	for _, name := range attentionNames(t) {
		results = append(results, received(t.Get(name), in.Of(queryOf(name))))
	}
	e.attention = attentionNames(t)
	return append(results, summaries(out.Summaries)...)
}

// hand moves gates while the graph is built.
type hand struct {
	gates           []string
	in              mmiln.Inputs
	moves           *Node
	computed, moved []*Node // means [B]
}

func (h *hand) move(name string, gate *Node) *Node {
	i := slices.Index(h.gates, name)
	row := func(k int) *Node { return Reshape(Slice(h.moves, AxisElem(i), AxisElem(k)), 1, 1, 1) }
	over := h.in.Of(sequenceOf(name))
	mean := ReduceMean(overSteps(gate, over), -1) // [B]
	guarded := Reshape(Max(mean, Scalar(mean.Graph(), mean.DType(), 1e-6)), -1, 1, 1)
	moved := Add(Mul(gate, Add(row(0), Div(row(1), guarded))), row(2))
	h.computed[i], h.moved[i] = mean, ReduceMean(overSteps(moved, over), -1)
	return moved
}

// sequenceOf is the modality whose steps a gate weighs.
func sequenceOf(gate string) mmiln.Task {
	parts := strings.Split(gate, ".") // layers.<i>.<gate or sag>.<modality>.<tap>
	if parts[2] == "gate" || parts[4] == "g_s" {
		return mmiln.Task(parts[3])
	}
	return mmiln.Text
}

// overSteps averages x [B, T, d] over the valid steps of seq; one step, T = 1, is taken as it is.
func overSteps(x *Node, seq masked.Sequence) *Node {
	if x.Shape().Dim(1) == 1 {
		return Reshape(x, x.Shape().Dim(0), x.Shape().Dim(2))
	}
	return seq.Over(x).Mean()
}

// attentionNames lists the taps of attention.
func attentionNames(t *taps.Taps) []string {
	return slices.DeleteFunc(t.Names(), func(name string) bool { return !strings.HasSuffix(name, ".probabilities") })
}

// queryOf is the modality whose steps attend.
func queryOf(attention string) mmiln.Task {
	parts := strings.Split(attention, ".") // layers.<i>.<gate or sag>.<modality>.<attention or self>.probabilities
	if parts[2] == "gate" {
		return mmiln.Task(parts[3])
	}
	return mmiln.Text
}

// received is how much attention each step gets of probabilities [B, heads, Q, K]: the mean over heads and valid queries.
func received(probabilities *Node, query masked.Sequence) *Node {
	return overSteps(ReduceMean(probabilities, 1), query)
}

// summaries lists ĥ_a, ĥ_v, ĥ_ta, ĥ_tv of every layer, those that there are.
func summaries(layers []mmiln.Summary) []*Node {
	var all []*Node
	for _, h := range layers {
		for _, of := range []map[mmiln.Task]*Node{h.Aux, h.Pair} {
			for _, n := range mmiln.Auxiliary {
				if of[n] != nil {
					all = append(all, of[n])
				}
			}
		}
	}
	return all
}

// refusion builds ℓ_sim [spans, orders, layers] and ℓ_diff [2, layers] of a batch, for each reading that can be chosen.
func (e *Exhibit) refusion(_ *model.Scope, args []*Node) []*Node {
	layers := make([]mmiln.Summary, e.model.Layers)
	for i := range layers {
		h := args[4*i : 4*i+4]
		layers[i].Aux = map[mmiln.Task]*Node{mmiln.Audio: h[0], mmiln.Vision: h[1]}
		layers[i].Pair = map[mmiln.Task]*Node{mmiln.Audio: h[2], mmiln.Vision: h[3]}
	}
	var sims, diffs []*Node
	c := e.model.Config
	for _, c.Readings.Span = range spans {
		for _, c.Readings.Orders = range orders {
			sim, _ := c.Refusion(layers)
			sims = append(sims, sim)
		}
	}
	for _, c.Readings.Orthogonality = range orthogonalities {
		_, diff := c.Refusion(layers)
		diffs = append(diffs, diff)
	}
	return []*Node{Stack(sims, 0), Stack(diffs, 0)}
}

// The readings of re-fusion that can be chosen.
var (
	spans           = []float64{2, 1}            // R10
	orders          = []int{1, 2, 3, 4, 5, 6, 7} // R9
	orthogonalities = []string{"soft", "raw"}    // R11
)

// Orders lists the numbers of moments that can be chosen.
func Orders() []int { return slices.Clone(orders) }
