package experiment

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/adam"
	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/hostinit"
	"github.com/mmiln/workbench/gomlx_ext/hugepages"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/gomlx_ext/textenc"
	"github.com/mmiln/workbench/mmiln"
)

// Engine holds a model's variables and its compiled graphs: a training step and an evaluation, each compiled once for every
// shape of a batch.
type Engine struct {
	store     *model.Store
	model     mmiln.Model
	encoder   *textenc.Encoder // that is trained with the model; nil where there is none
	optimiser *adam.Optimiser
	train     TrainConfig
	text      TextConfig

	step, apply, evaluate *model.Exec
	gates                 []string // names of the gates that evaluate returns, in order; known once it has run
	updates               int      // of Adam so far
	compiled              map[string]bool
	beside                func() // to be started once the graph of a step is built; nil: nothing
}

// NewEngine prepares a model on a backend; nothing is compiled before the first batch. A text encoder that is to be trained
// starts at random, unless its weights are loaded or restored.
func NewEngine(backend compute.Backend, c Config, m mmiln.Model) (*Engine, error) {
	text, err := openText(c.Text, backend)
	if err != nil {
		return nil, err
	}
	return newEngine(backend, c, m, text)
}

func newEngine(backend compute.Backend, c Config, m mmiln.Model, text *textReader) (*Engine, error) {
	optimiser, err := c.Optimiser.groups()
	if err != nil {
		return nil, err
	}
	e := &Engine{store: model.NewStore(), model: m, optimiser: optimiser, train: c.Train, text: c.Text, compiled: map[string]bool{}}
	e.store.RootScope().SetParam(hostinit.ParamSeed, int64(c.Seed))
	if c.Text.Mode == "finetune" {
		e.encoder = text.encoder
	}
	if e.step, err = model.NewExec(backend, e.store, e.stepGraph); err != nil {
		return nil, err
	}
	if e.apply, err = model.NewExec(backend, e.store, e.applyGraph); err != nil {
		return nil, err
	}
	if e.evaluate, err = model.NewExec(backend, e.store, e.evaluateGraph); err != nil {
		return nil, err
	}
	for _, exec := range []*model.Exec{e.step, e.evaluate} {
		exec.SetMaxCache(-1)
	}
	return e, nil
}

// reset makes the engine's model a new one, under another seed, and keeps its compiled graphs. It is false where that cannot be:
// after a checkpoint was restored of which no graph has been built.
func (e *Engine) reset(seed uint64) (ok bool, err error) {
	for v := range e.store.IterVariables() {
		path := v.Path()
		state := strings.HasPrefix(path, adamPrefix) || strings.HasPrefix(path, textScope+"/") || strings.HasPrefix(path, "/#")
		if !state && !hostinit.Draws(v, e.store) {
			return false, nil
		}
	}
	e.store.RootScope().SetParam(hostinit.ParamSeed, int64(seed))
	e.updates = 0
	return true, errors.Join(hostinit.Redraw(e.store), adam.Reset(e.store.RootScope()))
}

// loadEncoder gives the text encoder its pretrained weights.
func (e *Engine) loadEncoder() error {
	if e.encoder == nil {
		return nil
	}
	return e.encoder.Load(e.store.Scope(textScope))
}

// forward builds the model over a batch's arguments.
func (e *Engine) forward(scope *model.Scope, args []*Node, t *taps.Taps) (mmiln.Output, mmiln.Inputs) {
	in := inputs(args)
	if e.encoder != nil {
		in.Text = e.text.encode(e.encoder, scope, in.Text)
	}
	return e.model.Forward(scope, in, t), in
}

// Compiled keeps engines between runs, so that configurations that differ in nothing but seed, name or data of the same widths
// are compiled once. The zero value is ready; it must not be shared by runs at the same time.
type Compiled struct{ engines map[string]*Engine }

// engine returns a new model for a configuration, on an engine that has compiled it already where there is one.
func (k *Compiled) engine(backend compute.Backend, c Config, schema data.Schema, m mmiln.Model, text *textReader) (*Engine, error) {
	if k == nil {
		return newEngine(backend, c, m, text)
	}
	seed := c.Seed
	c.Name, c.Seed, c.Data, c.ULGM = "", 0, DataConfig{}, mmiln.ULGMConfig{}
	c.ExpectNothing()
	key := fmt.Sprint(backend.Name(), schema.Width, c)
	if e := k.engines[key]; e != nil {
		if ok, err := e.reset(seed); ok || err != nil {
			return e, err
		}
	}
	c.Seed = seed
	e, err := newEngine(backend, c, m, text)
	if err == nil {
		if k.engines == nil {
			k.engines = map[string]*Engine{}
		}
		k.engines[key] = e
	}
	return e, err
}

// lossParts name the scalars that a training step returns, in order.
var lossParts = [...]string{"loss", "task", "sim", "diff"}

// stepGraph takes the six inputs, the labels of each task, the dropout seed and, where every batch is a step, Adam's
// corrections. It returns the loss and its parts [4], ℓ_sim and ℓ_diff by layer [2, layers] (or zeros), predictions
// [tasks, B], then F* [B, width] of each task.
func (e *Engine) stepGraph(scope *model.Scope, args []*Node) []*Node {
	g := args[0].Graph()
	scope.Store().SetTraining(g, true)
	tasks := e.model.Tasks()
	labels := mmiln.Labels{}
	for i, task := range tasks {
		labels[task] = args[6+i]
	}
	rest := args[6+len(tasks):]
	dropout.SetSeed(g, rest[0])
	out, _ := e.forward(scope, args, nil)
	loss := e.model.Loss(out, labels)
	results := []*Node{
		Stack([]*Node{loss.Total, loss.Task, loss.Sim, loss.Diff}, 0), byLayer(loss, len(out.Summaries)), predictions(out),
	}
	for _, head := range out.Heads {
		results = append(results, head.Feature)
	}
	total := loss.Total
	if e.train.Gradients == "mean" {
		total = MulScalar(total, 1/float64(e.train.UpdateEvery))
	}
	if e.train.UpdateEvery == 1 {
		e.optimiser.Step(scope, total, rest[1], rest[2])
	} else {
		e.optimiser.Accumulate(scope, total)
	}
	if e.beside != nil {
		go e.beside()
	}
	return results
}

func (e *Engine) applyGraph(scope *model.Scope, first, second *Node) *Node {
	e.optimiser.Apply(scope, first, second)
	return first
}

// evaluateGraph returns predictions [tasks, B], then for each gate its mean over valid steps [B, d_s].
func (e *Engine) evaluateGraph(scope *model.Scope, args []*Node) []*Node {
	t := taps.New(scope)
	out, in := e.forward(scope, args, t)
	names, means := gateMeans(t, in)
	e.gates = names
	return append([]*Node{predictions(out)}, means...)
}

// inputs are x and lengths of text, audio and vision.
func inputs(args []*Node) mmiln.Inputs {
	return mmiln.Inputs{
		Text: masked.New(args[0], args[1]), Audio: masked.New(args[2], args[3]), Vision: masked.New(args[4], args[5]),
	}
}

func predictions(out mmiln.Output) *Node {
	all := make([]*Node, len(out.Heads))
	for i, head := range out.Heads {
		all[i] = head.Prediction
	}
	return Stack(all, 0)
}

func byLayer(loss mmiln.Loss, layers int) *Node {
	if loss.SimLayers == nil {
		return BroadcastToDims(ZerosLike(loss.Total), 2, max(layers, 1))
	}
	return Stack([]*Node{loss.SimLayers, loss.DiffLayers}, 0)
}

// Prepare compiles what training is going to run side by side: the step on a batch and, as soon as its graph is built and with it
// every variable, the update and the evaluation of another batch. It returns when the step is compiled; whatever else is not yet
// there is waited for where it runs, and so is an error. Without Prepare each is compiled when it first runs.
func (e *Engine) Prepare(step, evaluation *data.Batch) error {
	e.beside = func() {
		if e.train.UpdateEvery > 1 {
			_, _ = e.apply.Compile(shapes.Make(dtypes.Float32), shapes.Make(dtypes.Float32))
		}
		_, _ = e.evaluate.Compile(shapesOf(batchTensors(evaluation))...)
	}
	defer func() { e.beside = nil }()
	labels := map[mmiln.Task][]float32{}
	for _, task := range e.model.Tasks() {
		labels[task] = make([]float32, len(step.Rows))
	}
	if _, err := e.step.Compile(shapesOf(e.stepTensors(step, labels, 0))...); err != nil {
		return fmt.Errorf("training step: %w", err)
	}
	return nil
}

func shapesOf(args []*tensors.Tensor) []shapes.Shape {
	out := make([]shapes.Shape, len(args))
	for i, arg := range args {
		out[i] = arg.Shape()
	}
	return out
}

// stepTensors are the arguments of stepGraph.
func (e *Engine) stepTensors(b *data.Batch, labels map[mmiln.Task][]float32, seed uint32) []*tensors.Tensor {
	args := batchTensors(b)
	for _, task := range e.model.Tasks() {
		args = append(args, tensors.FromFlatDataAndDimensions(labels[task], len(b.Rows)))
	}
	args = append(args, tensors.FromScalar(seed))
	if e.train.UpdateEvery == 1 {
		first, second := adam.Correction(e.updates)
		args = append(args, tensors.FromScalar(first), tensors.FromScalar(second))
	}
	return args
}

// StepResult is what a training step returns, on the host.
type StepResult struct {
	Parts       []float32 // in the order of lossParts
	Sim, Diff   []float32 // by layer
	Predictions map[mmiln.Task][]float32
	Features    map[mmiln.Task][]float32 // [B, width]
}

// Step runs one batch; labels [B] by task.
func (e *Engine) Step(b *data.Batch, labels map[mmiln.Task][]float32, seed uint32) (StepResult, error) {
	if e.train.UpdateEvery == 1 {
		e.updates++
	}
	out, err := e.run(e.step, e.stepTensors(b, labels, seed))
	if err != nil {
		return StepResult{}, fmt.Errorf("training step: %w", err)
	}
	return readStep(out, e.model.Tasks())
}

// run executes a graph and lets go of its inputs; after a compilation, of what that took.
func (e *Engine) run(exec *model.Exec, args []*tensors.Tensor) ([]*tensors.Tensor, error) {
	shape := fmt.Sprintf("%p", exec) + fmt.Sprint(args[0].Shape(), args[2].Shape(), args[4].Shape())
	out, err := exec.Exec(args)
	if err != nil {
		return nil, err
	}
	for _, arg := range args {
		if err := arg.FinalizeAll(); err != nil {
			return nil, err
		}
	}
	if !e.compiled[shape] {
		e.compiled[shape] = true
		debug.FreeOSMemory() // host copies of the first values
		hugepages.Trim()
	}
	return out, nil
}

func readStep(out []*tensors.Tensor, tasks []mmiln.Task) (r StepResult, err error) {
	flat := make([][]float32, len(out))
	for i, t := range out {
		if flat[i], err = tensors.CopyFlatData[float32](t); err != nil {
			return r, err
		}
		if err = t.FinalizeAll(); err != nil {
			return r, err
		}
	}
	layers, batch := len(flat[1])/2, len(flat[2])/len(tasks)
	r = StepResult{
		Parts: flat[0], Sim: flat[1][:layers], Diff: flat[1][layers:],
		Predictions: map[mmiln.Task][]float32{}, Features: map[mmiln.Task][]float32{},
	}
	for i, task := range tasks {
		r.Predictions[task], r.Features[task] = flat[2][i*batch:(i+1)*batch], flat[3+i]
	}
	return r, nil
}

// Apply is one step of Adam on the gradients summed since the last.
func (e *Engine) Apply() error {
	e.updates++
	first, second := adam.Correction(e.updates)
	_, err := e.apply.Exec(first, second)
	return err
}

// Forget drops the gradients summed since the last step.
func (e *Engine) Forget() error { return adam.Clear(e.store.RootScope()) }

// EvalResult is what an evaluation of a batch returns.
type EvalResult struct {
	Predictions map[mmiln.Task][]float32
	Gates       map[string][]float32 // mean over valid steps [B, d_s], by tap
}

// Evaluate predicts a batch, without dropout.
func (e *Engine) Evaluate(b *data.Batch) (r EvalResult, err error) {
	out, err := e.run(e.evaluate, batchTensors(b))
	if err != nil {
		return r, fmt.Errorf("evaluation: %w", err)
	}
	all, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return r, err
	}
	r = EvalResult{Predictions: map[mmiln.Task][]float32{}, Gates: map[string][]float32{}}
	batch := len(b.Rows)
	for i, task := range e.model.Tasks() {
		r.Predictions[task] = all[i*batch : (i+1)*batch]
	}
	for i, name := range e.gates {
		if r.Gates[name], err = tensors.CopyFlatData[float32](out[1+i]); err != nil {
			return r, err
		}
	}
	return r, nil
}

// batchTensors are x [B, T, d] and lengths [B] of each modality. An absent modality is one zero step of width 1.
func batchTensors(b *data.Batch) []*tensors.Tensor {
	var out []*tensors.Tensor
	n := len(b.Rows)
	for _, m := range data.Modalities {
		s := b.Sequences[m]
		if s.Width == 0 {
			ones := make([]int32, n)
			for i := range ones {
				ones[i] = 1
			}
			out = append(out, tensors.FromFlatDataAndDimensions(make([]float32, n), n, 1, 1), tensors.FromFlatDataAndDimensions(ones, n))
			continue
		}
		out = append(out, tensors.FromFlatDataAndDimensions(s.Values, n, s.Steps, s.Width), tensors.FromFlatDataAndDimensions(s.Lengths, n))
	}
	return out
}
