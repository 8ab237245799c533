package mmiln

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/mmiln/workbench/gomlx_ext/moments"
	"github.com/mmiln/workbench/gomlx_ext/ortho"
)

// Refusion measures the summaries of every layer: ℓ_sim and ℓ_diff as vectors [layers]. Both are nil where an ablation leaves
// nothing to compare.
func (c Config) Refusion(summaries []Summary) (sim, diff *Node) {
	if len(summaries) == 0 || summaries[0].Pair[Audio] == nil {
		return nil, nil
	}
	var sims, diffs []*Node
	for _, h := range summaries {
		sims = append(sims, c.similarity(h))
		diffs = append(diffs, c.difference(h))
	}
	return Stack(sims, 0), Stack(diffs, 0)
}

// similarity is Eq. (25): ℓ_sim = CMD_K(ĥ_ta, ĥ_tv).
func (c Config) similarity(h Summary) *Node {
	total, _ := moments.CMD(h.Pair[Audio], h.Pair[Vision], c.Readings.Orders, c.Readings.Span) // Eq. (24)
	return total
}

// difference is Eq. (26): ℓ_diff = Σ_{(ta,a),(tv,v)} ‖ĥ_m1ᵀ ĥ_m2‖_F².
func (c Config) difference(h Summary) *Node {
	var parts []*Node
	for _, n := range Auxiliary {
		if c.Readings.Orthogonality == "raw" {
			parts = append(parts, ortho.Raw(h.Pair[n], h.Aux[n]))
		} else {
			parts = append(parts, ortho.Soft(h.Pair[n], h.Aux[n], c.Readings.DetachNorm))
		}
	}
	return Add(parts[0], parts[1])
}

// enters sums what Eq. (36) takes of a vector [layers]: the last layer, or all (R12).
func (c Config) enters(layers *Node) *Node {
	if c.Readings.SummaryLayers == "all" {
		return ReduceAllSum(layers)
	}
	return ReduceAllSum(Slice(layers, AxisRangeToEnd(-1)))
}
