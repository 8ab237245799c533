// Package adam is torch.optim.Adam with what GoMLX's lacks: parameter groups with a learning rate and a decay of their own, L2
// added to the gradient (not AdamW's decoupled decay), and gradients summed over several batches before a step.
package adam

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/hostinit"
	"github.com/mmiln/workbench/gomlx_ext/inplace"
)

// PyTorch's defaults, and those of every system of the field.
const (
	beta1, beta2 = 0.9, 0.999
	epsilon      = 1e-8
)

// Group is a set of variables with a learning rate and a decay.
type Group struct {
	Prefixes []string // of the variables' paths, such as "/encoder/audio/"; an empty list takes what no other group has
	Rate     float64
	Decay    float64 // L2: Decay·p is added to the gradient of p
	// Undecayed are parts of paths, such as "/bias": variables that have one do not decay.
	Undecayed []string
}

// Optimiser knows the groups. Its state, moments and sums of gradients, are variables under /adam in the model's store.
type Optimiser struct{ groups []Group }

// New checks the groups: one of them must take what the others leave.
func New(groups ...Group) (*Optimiser, error) {
	rest := 0
	for _, group := range groups {
		if len(group.Prefixes) == 0 {
			rest++
		}
		if !(group.Rate > 0) || !(group.Decay >= 0) {
			return nil, fmt.Errorf("adam: learning rate %v and decay %v of %v; use a positive rate and a decay of at least 0", group.Rate, group.Decay, group.Prefixes)
		}
	}
	if rest != 1 {
		return nil, fmt.Errorf("adam: %d groups without prefixes; exactly one must take the variables that no other group has", rest)
	}
	return &Optimiser{groups}, nil
}

// Correction returns the bias corrections of step t (from 1), 1/(1−β₁ᵗ) and 1/√(1−β₂ᵗ), inputs of [Optimiser.Step] and
// [Optimiser.Apply]: in the graph's float32 they would lose digits.
func Correction(t int) (first, second float32) {
	return float32(1 / (1 - math.Pow(beta1, float64(t)))), float32(1 / math.Sqrt(1-math.Pow(beta2, float64(t))))
}

// Step is one step on the gradients of loss.
func (o *Optimiser) Step(scope *model.Scope, loss, first, second *Node) {
	variables := used(scope, loss.Graph())
	for i, gradient := range Gradient(loss, values(variables, loss.Graph())...) {
		o.update(scope, variables[i], gradient, first, second)
	}
	inplace.Variables(scope.Store(), loss.Graph())
}

// Accumulate adds the gradients of loss to the sums that [Optimiser.Apply] takes.
func (o *Optimiser) Accumulate(scope *model.Scope, loss *Node) {
	g := loss.Graph()
	variables := used(scope, g)
	for i, gradient := range Gradient(loss, values(variables, g)...) {
		sum := state(scope, "sum", variables[i])
		sum.SetNodeValue(Add(sum.NodeValue(g), gradient))
	}
	inplace.Variables(scope.Store(), g)
}

// Apply is one step on the sums of gradients, which it clears. Variables must exist already.
func (o *Optimiser) Apply(scope *model.Scope, first, second *Node) {
	g := first.Graph()
	for _, v := range trained(scope) {
		sum := state(scope, "sum", v)
		o.update(scope, v, sum.NodeValue(g), first, second)
		sum.SetNodeValue(ZerosLike(sum.NodeValue(g)))
	}
	inplace.Variables(scope.Store(), g)
}

// Clear forgets the sums of gradients.
func Clear(scope *model.Scope) error { return zero(scope, "/adam/sum/") }

// Reset forgets moments and sums, as before the first step.
func Reset(scope *model.Scope) error { return zero(scope, "/adam/") }

// zero sets the variables whose paths begin with prefix to 0.
func zero(scope *model.Scope, prefix string) error {
	for v := range scope.Store().IterVariables() {
		if strings.HasPrefix(v.Path(), prefix) {
			value, err := v.Value()
			if err != nil {
				return err
			}
			if err := value.MutableFlatData(func(flat any) { clear(flat.([]float32)) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// update is one step on a variable p with gradient g:
//
//	g ← g + λp   m ← β₁m + (1−β₁)g   v ← β₂v + (1−β₂)g²   p ← p − η·first·m / (√v·second + ε)
func (o *Optimiser) update(scope *model.Scope, v *model.Variable, gradient, first, second *Node) {
	g, group := gradient.Graph(), o.group(v.Path())
	p := v.NodeValue(g)
	if group.Decay > 0 && !slices.ContainsFunc(group.Undecayed, func(part string) bool { return strings.Contains(v.Path(), part) }) {
		gradient = Add(gradient, MulScalar(p, group.Decay))
	}
	m, s := state(scope, "mean", v), state(scope, "square", v)
	mean := Add(MulScalar(m.NodeValue(g), beta1), MulScalar(gradient, 1-beta1))
	square := Add(MulScalar(s.NodeValue(g), beta2), MulScalar(Square(gradient), 1-beta2))
	step := Div(MulScalar(Mul(mean, first), group.Rate), AddScalar(Mul(Sqrt(square), second), epsilon))
	m.SetNodeValue(mean)
	s.SetNodeValue(square)
	v.SetNodeValue(Sub(p, step))
}

// group is the one whose longest prefix fits.
func (o *Optimiser) group(path string) Group {
	best, length := Group{}, -1
	for _, group := range o.groups {
		if len(group.Prefixes) == 0 && length < 0 {
			best, length = group, 0
		}
		for _, prefix := range group.Prefixes {
			if strings.HasPrefix(path, prefix) && len(prefix) > length {
				best, length = group, len(prefix)
			}
		}
	}
	return best
}

// trained lists the variables that are not the optimiser's own, by path.
func trained(scope *model.Scope) []*model.Variable {
	var list []*model.Variable
	for v := range scope.IterVariables() {
		if v.Trainable && !strings.HasPrefix(v.Path(), "/adam/") {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b *model.Variable) int { return cmp.Compare(a.Path(), b.Path()) })
	return list
}

// used lists those of them that a graph reads.
func used(scope *model.Scope, g *Graph) []*model.Variable {
	return slices.DeleteFunc(trained(scope), func(v *model.Variable) bool { return !v.InUseByGraph(g) })
}

func values(variables []*model.Variable, g *Graph) []*Node {
	nodes := make([]*Node, len(variables))
	for i, v := range variables {
		nodes[i] = v.NodeValue(g)
	}
	return nodes
}

// state is the variable that holds one kind of state of v, zero at first.
func state(scope *model.Scope, kind string, v *model.Variable) *model.Variable {
	owner, name := model.SplitPath(v.Path())
	at := scope.Store().Scope(model.JoinPath("/adam", kind, owner))
	return hostinit.Constant(at, name, 0, v.Shape().Dimensions...).SetTrainable(false)
}
