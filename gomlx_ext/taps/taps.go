// Package taps lets a model name the intermediate values that are worth looking at, beside its output.
//
// Naming a node does nothing to the graph. Making it an output does nothing to the others in pure Go. XLA however compiles a
// graph as a whole: a value in the middle of elementwise arithmetic is never stored unless it is an output, and storing it
// changes which operations are fused around it, and so the last bits of what follows. Optimization barriers do not prevent
// this on its CPU compiler, which removes them before it fuses. Values it stores anyway (inputs and results of matrix
// products, attention weights, states of a loop) change nothing. So that looking never changes training, compile two graphs
// over the same variables: the training step without taps among its outputs, and the one that is looked at. Let the latter
// output the prediction too, since the pure Go backend panics on a graph whose last variable goes unused.
package taps

import (
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/support/exceptions"
)

// Taps collects named nodes of one graph. A nil *Taps collects nothing.
type Taps struct {
	root    string
	names   []string
	nodes   map[string]*graph.Node
	replace func(name string, node *graph.Node) *graph.Node
}

// New returns an empty collection whose names are relative to root.
func New(root *model.Scope) *Taps {
	return &Taps{root: root.Scope(), nodes: map[string]*graph.Node{}}
}

// Add names a node: the path of scope below the root, then name, joined by dots (layers.0.gate.audio.g_r). It panics when the
// name is taken, or scope lies outside the root.
func (t *Taps) Add(scope *model.Scope, name string, node *graph.Node) {
	if t == nil {
		return
	}
	full := t.name(scope, name)
	if t.nodes[full] != nil {
		exceptions.Panicf("taps: %q is added twice", full)
	}
	t.names = append(t.names, full)
	t.nodes[full] = node
}

// Replace lets by put another node, of the same shape, in the place of each value that a model passes on with [Taps.Pass]. It
// is for looking at what a model does when one of its values is moved by hand, not for training.
func (t *Taps) Replace(by func(name string, node *graph.Node) *graph.Node) { t.replace = by }

// Pass is Add for a value that may be moved by hand: it returns what the model is to go on with, and names that. Without
// [Taps.Replace], and on a nil *Taps, this is the node itself.
func (t *Taps) Pass(scope *model.Scope, name string, node *graph.Node) *graph.Node {
	if t == nil {
		return node
	}
	if t.replace != nil {
		full := t.name(scope, name)
		replaced := t.replace(full, node)
		if !replaced.Shape().Equal(node.Shape()) {
			exceptions.Panicf("taps: %q is %s and cannot be replaced by %s", full, node.Shape(), replaced.Shape())
		}
		node = replaced
	}
	t.Add(scope, name, node)
	return node
}

func (t *Taps) name(scope *model.Scope, name string) string {
	path := strings.Trim(scope.Scope(), model.ScopeSeparator)
	root := strings.Trim(t.root, model.ScopeSeparator)
	below, found := strings.CutPrefix(path+model.ScopeSeparator, root+model.ScopeSeparator)
	if root == "" {
		below, found = path, true
	}
	if !found {
		exceptions.Panicf("taps: scope %s of %q lies outside %s", scope.Scope(), name, t.root)
	}
	below = strings.Trim(below, model.ScopeSeparator)
	return strings.TrimPrefix(strings.ReplaceAll(below, model.ScopeSeparator, ".")+"."+name, ".")
}

// Names lists the names in the order of addition.
func (t *Taps) Names() []string {
	if t == nil {
		return nil
	}
	return append([]string{}, t.names...)
}

// Nodes lists the nodes in the order of [Taps.Names].
func (t *Taps) Nodes() []*graph.Node {
	var out []*graph.Node
	for _, name := range t.Names() {
		out = append(out, t.nodes[name])
	}
	return out
}

// Get is the node of that name, nil where there is none.
func (t *Taps) Get(name string) *graph.Node {
	if t == nil {
		return nil
	}
	return t.nodes[name]
}
