package golden

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/gomlx_ext/taps"
	"github.com/mmiln/workbench/mmiln"
)

var modalities = []string{"text", "audio", "vision"}

// Compare runs m on the case's batch and checks every prediction, feature, loss, tap and gradient that the file holds: values
// to 1e-4, gradients to 1e-3 of the tensor's largest element.
func (c *Case) Compare(t *testing.T, backend compute.Backend, m mmiln.Model) {
	t.Helper()
	found := c.run(t, backend, m)
	for name, want := range c.expected(t) {
		got, ok := found[name]
		if !assert.True(t, ok, "%s: the model has no %s", c.Name, name) {
			continue
		}
		values := tensors.MustCopyFlatData[float32](got)
		if !assert.Len(t, values, len(want), name) {
			continue
		}
		scale := 1.0
		if strings.HasPrefix(name, "grad.") {
			scale = 10 * max(largest(want), 1e-3)
		}
		assert.Less(t, farthest(want, values), 1e-4*scale, "%s: %s", c.Name, name)
	}
}

// expected are the tensors of the file that a model computes, parameters' gradients laid out as here.
func (c *Case) expected(t testing.TB) map[string][]float32 {
	out := map[string][]float32{}
	for _, prefix := range []string{"prediction.", "feature.", "loss", "tap.", "grad."} {
		for _, rest := range c.Names(prefix) {
			name := prefix + rest
			values, dims := c.Float32(t, name)
			if prefix == "grad." && !strings.HasPrefix(rest, "input.") {
				name, values = prefix+Path(rest), tensors.MustCopyFlatData[float32](Reversed(values, dims))
			}
			out[name] = values
		}
	}
	return out
}

// run loads the weights, builds forward, loss and gradients in one graph and returns them by the file's names.
func (c *Case) run(t testing.TB, backend compute.Backend, m mmiln.Model) map[string]*tensors.Tensor {
	t.Helper()
	store := model.NewStore()
	given := c.load(t, store, m)
	var names []string
	exec, err := model.NewExec(backend, store, func(scope *model.Scope, given []*Node) []*Node {
		var nodes []*Node
		names, nodes = c.graph(scope, m, given)
		return nodes
	})
	require.NoError(t, err)
	outputs, err := exec.Exec(given)
	require.NoError(t, err)
	require.Len(t, outputs, len(names))
	found := map[string]*tensors.Tensor{}
	for i, name := range names {
		found[name] = outputs[i]
	}
	return found
}

// load sets the variables and returns the inputs: x and lengths of each modality, then the labels of each task.
func (c *Case) load(t testing.TB, store *model.Store, m mmiln.Model) []*tensors.Tensor {
	names := c.Names("weight.")
	if c.Inherited != nil {
		names = append(names, (&Case{Tensors: c.Inherited}).Names("weight.")...)
	}
	for _, name := range names {
		values, dims := c.Float32(t, "weight."+name)
		store.VariableWithValue(Path(name), Reversed(values, dims))
	}
	var given []*tensors.Tensor
	for _, name := range modalities {
		values, dims := c.Float32(t, "input."+name)
		file, err := c.of("length." + name)
		require.NoError(t, err)
		lengths, _, err := file.Int64("length." + name)
		require.NoError(t, err)
		short := make([]int32, len(lengths))
		for i, n := range lengths {
			short[i] = int32(n)
		}
		given = append(given, tensors.FromFlatDataAndDimensions(values, dims...), tensors.FromFlatDataAndDimensions(short, len(short)))
	}
	for _, task := range m.Tasks() {
		values, dims := c.Float32(t, "label."+string(task))
		given = append(given, tensors.FromFlatDataAndDimensions(values, dims...))
	}
	return given
}

// graph returns all that can be compared, by name.
func (c *Case) graph(scope *model.Scope, m mmiln.Model, given []*Node) (names []string, nodes []*Node) {
	add := func(name string, node *Node) {
		if node != nil {
			names, nodes = append(names, name), append(nodes, node)
		}
	}
	in := mmiln.Inputs{
		Text: masked.New(given[0], given[1]), Audio: masked.New(given[2], given[3]), Vision: masked.New(given[4], given[5]),
	}
	labels := mmiln.Labels{}
	for i, task := range m.Tasks() {
		labels[task] = given[6+i]
	}
	t := taps.New(scope)
	out := m.Forward(scope, in, t)
	loss := m.Loss(out, labels)
	for _, head := range out.Heads {
		add("prediction."+string(head.Task), head.Prediction)
		add("feature."+string(head.Task), head.Feature)
	}
	for _, name := range t.Names() {
		add("tap."+name, visible(name, t.Get(name), in))
	}
	add("loss", loss.Total)
	add("loss.task", loss.Task)
	add("loss.sim", loss.Sim)
	add("loss.diff", loss.Diff)
	add("loss.sim_layers", zerosIfNil(loss.SimLayers, len(out.Summaries), loss.Total))
	add("loss.diff_layers", zerosIfNil(loss.DiffLayers, len(out.Summaries), loss.Total))

	wrt := []string{"grad.input.text", "grad.input.audio", "grad.input.vision"}
	leaves := []*Node{in.Text.X, in.Audio.X, in.Vision.X}
	for v := range scope.Store().IterVariables() {
		if v.Trainable && v.InUseByGraph(loss.Total.Graph()) {
			wrt, leaves = append(wrt, "grad."+v.Path()), append(leaves, v.NodeValue(loss.Total))
		}
	}
	for i, gradient := range Gradient(loss.Total, leaves...) {
		add(wrt[i], gradient)
	}
	return names, nodes
}

func zerosIfNil(layers *Node, n int, like *Node) *Node {
	if layers == nil && n > 0 {
		return BroadcastToDims(ZerosLike(like), n)
	}
	return layers
}

// visible is a tap without the padded query rows of attention, which the reference leaves out.
func visible(name string, tap *Node, in mmiln.Inputs) *Node {
	if !strings.HasSuffix(name, "probabilities") {
		return tap
	}
	query := in.Text
	if parts := strings.Split(name, "."); parts[2] == "gate" {
		query = in.Of(mmiln.Task(parts[3]))
	}
	if query.Steps() != tap.Shape().Dim(2) { // R1: one step
		return tap
	}
	return Mul(tap, InsertAxes(query.Mask(), 1))
}

func largest(values []float32) float64 {
	return math.Abs(float64(slices.MaxFunc(values, func(a, b float32) int {
		return int(math.Copysign(1, math.Abs(float64(a))-math.Abs(float64(b))))
	})))
}

func farthest(want, got []float32) float64 {
	worst := 0.0
	for i := range want {
		d := math.Abs(float64(want[i]) - float64(got[i]))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		worst = max(worst, d)
	}
	return worst
}
