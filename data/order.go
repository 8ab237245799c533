package data

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// Order is the permutation of 0…n-1 in which an epoch visits its examples. It depends on the arguments only, on every machine:
// Fisher and Yates' shuffle driven by PCG.
func Order(seed uint64, epoch, n int) []int {
	r := rand.NewPCG(seed, uint64(epoch))
	order := make([]int, n)
	for i := range order {
		j, _ := bits.Mul64(r.Uint64(), uint64(i+1)) // in [0, i]
		order[i], order[j] = order[j], i
	}
	return order
}

// Batches cuts an order into batches of size, at least 1. The last one may be smaller, as with torch's DataLoader.
func Batches(order []int, size int) [][]int { return slices.Collect(slices.Chunk(order, size)) }

// Buckets are the padded lengths that batches may have, ascending. Every shape is compiled once, so there are few; one choice
// covers all modalities, since longer utterances are longer in each.
type Buckets [][3]int

// NewBuckets chooses at most k buckets that batches of a given size use about equally often: bucket i of k reaches, in each
// modality, the (i/k)^(1/size) quantile of the examples' lengths, below which the longest of size examples stays with
// probability i/k. It is rounded up to a multiple of 8, but not beyond longest, which is the last bucket.
func NewBuckets(examples Examples, longest [3]int, size, k int) Buckets {
	var sorted [3][]int
	for _, m := range Modalities {
		for i := range examples.Len() {
			sorted[m] = append(sorted[m], examples.Info(i).needed()[m])
		}
		slices.Sort(sorted[m])
	}
	var all Buckets
	for i := 1; i < k; i++ {
		share := math.Pow(float64(i)/float64(k), 1/float64(size))
		var bucket [3]int
		for m := range bucket {
			n := len(sorted[m])
			bucket[m] = min((sorted[m][min(int(share*float64(n)), n-1)]+7)/8*8, longest[m])
		}
		all = append(all, bucket)
	}
	return slices.Compact(append(all, longest))
}

// Steps is the smallest bucket that holds all rows, for [Examples]' Batch. Rows that no bucket holds, as another data set may
// have, get the longest length among them.
func (b Buckets) Steps(examples Examples, rows []int) [3]int {
	var longest [3]int
	for _, row := range rows {
		for m, n := range examples.Info(row).needed() {
			longest[m] = max(longest[m], n)
		}
	}
	for _, bucket := range b {
		if bucket[Text] >= longest[Text] && bucket[Audio] >= longest[Audio] && bucket[Vision] >= longest[Vision] {
			return bucket
		}
	}
	return longest
}
