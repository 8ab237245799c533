package exhibit

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
)

// Exhibit is a bundle's model, ready to run. It serves one caller at a time.
type Exhibit struct {
	bundle *Bundle
	model  *mmiln.MMILN
	gates  []string

	network, measure *model.Exec
	attention        []string // names, known once the network has run
	layers           int      // that re-fusion compares; 0 where an ablation leaves nothing to compare

	others      [][]float32 // ĥ of the other examples, in the order of summaries
	othersMoves []float32   // the gates that they were computed with
}

// Open loads a bundle onto a backend. Graphs are compiled when they are first run.
func Open(b *Bundle, backend compute.Backend) (*Exhibit, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	m, err := mmiln.New(b.Model)
	if err != nil {
		return nil, err
	}
	e := &Exhibit{bundle: b, model: m, gates: gateNames(b.Model)}
	if c := b.Model.Ablation; c == "none" || c == "no_mrm" {
		e.layers = b.Model.Layers
	}
	store := model.NewStore()
	if err := snapshot.Restore(store, b.Weights); err != nil {
		return nil, err
	}
	if e.network, err = model.NewExec(backend, store, e.forward); err != nil {
		return nil, err
	}
	if e.measure, err = model.NewExec(backend, model.NewStore(), e.refusion); err != nil {
		return nil, err
	}
	e.network.SetMaxCache(-1)
	return e, nil
}

// Gates lists the gates, by their taps, layer by layer.
func (e *Exhibit) Gates() []string { return slices.Clone(e.gates) }

// See recomputes everything that concerns the utterance itself.
func (e *Exhibit) See(c Controls) (*View, error) {
	if err := e.check(c); err != nil {
		return nil, err
	}
	u, err := e.compose(c)
	if err != nil {
		return nil, err
	}
	r, err := e.run(u.tensors(e.bundle), 1, c)
	if err != nil {
		return nil, err
	}
	v := &View{
		Words: u.words, Truth: e.truth(u, c), Predictions: map[mmiln.Task]float32{}, Gates: map[string]Gate{},
		Attention: r.attention,
	}
	v.Lengths = [3]int{int(u.lengths[0]), int(u.lengths[1]), int(u.lengths[2])}
	for task, values := range r.predictions {
		v.Predictions[task] = values[0]
	}
	for i, name := range e.gates {
		v.Gates[name] = Gate{Computed: r.computed[i], Moved: r.moved[i]}
	}
	v.Pseudo = e.relabel(c, v, r.features)
	return v, nil
}

// Compare recomputes re-fusion over a batch of the utterance and the bundle's examples that are not shown.
func (e *Exhibit) Compare(c Controls) (*Refusion, error) {
	if e.layers == 0 {
		return &Refusion{}, nil
	}
	batch, n, err := e.batch(c)
	if err != nil {
		return nil, err
	}
	out, err := e.measure.Exec(batch...)
	if err != nil {
		return nil, fmt.Errorf("re-fusion: %w", err)
	}
	sims, err := tensors.CopyFlatData[float32](out[0])
	if err != nil {
		return nil, err
	}
	diffs, err := tensors.CopyFlatData[float32](out[1])
	if err != nil {
		return nil, err
	}
	found := &Refusion{Examples: n, Orders: c.Orders}
	first := slices.Index(spans, c.Span) * len(orders)
	for k := range orders {
		at := (first + k) * e.layers
		found.Similarity = append(found.Similarity, sims[at:at+e.layers])
	}
	at := slices.Index(orthogonalities, c.Orthogonality) * e.layers
	found.Difference = diffs[at : at+e.layers]
	return found, nil
}

// batch is ĥ [n, d_s] of every layer: the utterance's, then those of the others, which are computed again only where gates
// have moved.
func (e *Exhibit) batch(c Controls) (all []any, n int, err error) {
	if err := e.check(c); err != nil {
		return nil, 0, err
	}
	u, err := e.compose(c)
	if err != nil {
		return nil, 0, err
	}
	own, err := e.run(u.tensors(e.bundle), 1, c)
	if err != nil {
		return nil, 0, err
	}
	n = len(e.bundle.Infos) - e.bundle.Shown
	if moves := e.moves(c); !slices.Equal(moves, e.othersMoves) {
		r, err := e.run(e.bundle.others(), n, c)
		if err != nil {
			return nil, 0, err
		}
		e.others, e.othersMoves = r.summaries, moves
	}
	for i, h := range own.summaries {
		all = append(all, tensors.FromFlatDataAndDimensions(slices.Concat(h, e.others[i]), n+1, len(h)))
	}
	return all, n + 1, nil
}

// result is what the network returns, on the host.
type result struct {
	predictions     map[mmiln.Task][]float32 // [B]
	features        map[mmiln.Task][]float32 // [B, width]
	computed, moved []float32                // [gates], of the first example
	attention       map[string][]float32     // [K], of the first example, by tap
	summaries       [][]float32              // [B·d_s] each
}

// run shows the network n examples, x and lengths of each modality.
func (e *Exhibit) run(examples []any, n int, c Controls) (r result, err error) {
	moves := e.moves(c)
	args := append(slices.Clone(examples), tensors.FromFlatDataAndDimensions(moves, len(moves)/3, 3))
	out, err := e.network.Exec(args...)
	if err != nil {
		return r, fmt.Errorf("the network: %w", err)
	}
	return e.read(out, n)
}

func (e *Exhibit) read(out []*tensors.Tensor, n int) (r result, err error) {
	r = result{
		predictions: map[mmiln.Task][]float32{}, features: map[mmiln.Task][]float32{}, attention: map[string][]float32{},
	}
	next := func() (flat []float32) {
		if err == nil {
			flat, err = tensors.CopyFlatData[float32](out[0])
		}
		if err == nil {
			err = out[0].FinalizeAll()
		}
		out = out[1:]
		return flat
	}
	all := next()
	for i, task := range e.model.Tasks() {
		r.features[task] = next()
		if err == nil {
			r.predictions[task] = all[i*n : (i+1)*n]
		}
	}
	if len(e.gates) > 0 {
		r.computed, r.moved = firsts(next(), n), firsts(next(), n)
	}
	for _, name := range e.attention {
		if flat := next(); err == nil {
			r.attention[name] = flat[:len(flat)/n]
		}
	}
	for len(out) > 0 {
		r.summaries = append(r.summaries, next())
	}
	return r, err
}

// firsts is the first column of a matrix of n columns.
func firsts(flat []float32, n int) []float32 {
	var first []float32
	for i := 0; i < len(flat); i += n {
		first = append(first, flat[i])
	}
	return first
}

// truth is what the planted data says of the utterance.
func (e *Exhibit) truth(u utterance, c Controls) Truth {
	t := Truth{
		Text: u.truth[data.Text], Audio: u.truth[data.Audio], Vision: u.truth[data.Vision],
		Multimodal: e.bundle.Data.Label(u.truth),
	}
	t.Label = float64(t.Multimodal)
	if c.Label != nil {
		t.Label = *c.Label
	}
	return t
}
