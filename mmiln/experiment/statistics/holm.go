package statistics

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts the p-values of a family of comparisons so that the chance of one false finding among them all is bounded: the
// i-th smallest of m is multiplied by m−i+1, made no smaller than those before it, and cut at 1. NaN is no comparison and stays.
func Holm(p []float64) []float64 {
	adjusted := slices.Clone(p)
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	floor := 0.0
	for rank, i := range order {
		floor = max(floor, min(1, p[i]*float64(len(order)-rank)))
		adjusted[i] = floor
	}
	return adjusted
}
