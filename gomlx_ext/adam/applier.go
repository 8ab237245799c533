package adam

import (
	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// partBytes of weights are what a small model has in all and a seventh of BERT-base.
const partBytes = 64 << 20

// Applier takes steps on the sums of gradients of [Optimiser.Accumulate]. A graph's outputs lie beside its inputs in memory, so
// that a step on all of BERT-base in one graph would hold weights, moments and sums twice; the parts of an Applier are graphs of
// their own, run one after the other, and hold twice only what each of them updates.
type Applier struct {
	optimiser *Optimiser
	backend   compute.Backend
	store     *model.Store
	bytes     int           // of weights in a part, or one variable where that is larger
	parts     []*model.Exec // made by the first step
}

// NewApplier prepares steps on the variables of a store.
func (o *Optimiser) NewApplier(backend compute.Backend, store *model.Store) *Applier {
	return &Applier{optimiser: o, backend: backend, store: store, bytes: partBytes}
}

// Apply is step t (from 1) on the sums of gradients, which it clears. The model's graph must have been built before the first.
func (a *Applier) Apply(t int) error {
	if a.parts == nil {
		if err := a.prepare(); err != nil {
			return err
		}
	}
	first, second := Correction(t)
	for _, part := range a.parts {
		if _, err := part.Exec(first, second); err != nil {
			return err
		}
	}
	return nil
}

// prepare makes the parts.
func (a *Applier) prepare() error {
	for _, variables := range split(trained(a.store.RootScope()), a.bytes) {
		part, err := model.NewExec(a.backend, a.store, func(scope *model.Scope, first, second *Node) *Node {
			for _, v := range variables {
				sum := state(scope, "sum", v)
				a.optimiser.update(scope, v, sum.NodeValue(first), first, second)
				sum.SetNodeValue(ZerosLike(sum.NodeValue(first)))
			}
			return first
		})
		if err != nil {
			return err
		}
		a.parts = append(a.parts, part)
	}
	return nil
}

// split cuts a list of variables into runs of at most so many bytes, or of one variable.
func split(variables []*model.Variable, bytes int) (parts [][]*model.Variable) {
	size := 0
	for _, v := range variables {
		n := int(v.Shape().ByteSize())
		if size += n; len(parts) == 0 || size > bytes {
			parts, size = append(parts, nil), n
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], v)
	}
	return parts
}
