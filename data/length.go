package data

import (
	"math"
	"math/rand/v2"
	"slices"
)

// ByLength cuts an order into batches of size whose texts are about equally long: within each pool of so many batches, examples
// are sorted by length and cut, and the pool's batches are shuffled. Each example is visited once, as with [Batches], and only
// the last batch may be smaller. It depends on the arguments only.
func ByLength(examples Examples, order []int, size, pool int, seed uint64, epoch int) [][]int {
	r := rand.New(rand.NewPCG(seed^0x6c656e677468, uint64(epoch)))
	var all [][]int
	for part := range slices.Chunk(order, size*pool) {
		sorted := SortedByLength(examples, part)
		whole := len(sorted) / size * size
		first := len(all)
		all = append(all, Batches(sorted[:whole], size)...)
		r.Shuffle(len(all)-first, func(i, j int) { all[first+i], all[first+j] = all[first+j], all[first+i] })
		if whole < len(sorted) {
			all = append(all, sorted[whole:])
		}
	}
	return all
}

// SortedByLength is rows, the shortest text first; equal ones keep their order.
func SortedByLength(examples Examples, rows []int) []int {
	sorted := slices.Clone(rows)
	slices.SortStableFunc(sorted, func(a, b int) int { return examples.Info(a).needed()[Text] - examples.Info(b).needed()[Text] })
	return sorted
}

// TightBuckets chooses at most k buckets for batches of equally long texts, those that leave the fewest padded steps of text in
// total (dynamic programming over lengths, multiples of 4). The other modalities of a bucket are as long as the longest that
// goes with such texts; the last bucket is longest.
func TightBuckets(examples Examples, longest [3]int, k int) Buckets {
	ends := tightest(histogram(examples, longest[Text]), k)
	var all Buckets
	for _, end := range ends {
		bucket := [3]int{Text: min(4*end, longest[Text])}
		for i := range examples.Len() {
			if n := examples.Info(i).needed(); n[Text] <= bucket[Text] {
				bucket[Audio], bucket[Vision] = max(bucket[Audio], n[Audio]), max(bucket[Vision], n[Vision])
			}
		}
		all = append(all, bucket)
	}
	all[len(all)-1] = longest
	return slices.Compact(all)
}

// histogram counts examples by the length of their text in fours, rounded up, to that of longest.
func histogram(examples Examples, longest int) []int {
	counts := make([]int, (longest+3)/4+1)
	for i := range examples.Len() {
		counts[min((examples.Info(i).needed()[Text]+3)/4, len(counts)-1)]++
	}
	return counts
}

// tightest cuts 1…len(counts)-1 into at most k ranges and returns their ends: Σ count·end is least.
func tightest(counts []int, k int) []int {
	top := len(counts) - 1
	cost, from := make([][]float64, k+1), make([][]int, k+1)
	for used := range cost {
		cost[used], from[used] = make([]float64, top+1), make([]int, top+1)
		for end := 1; end <= top; end++ {
			cost[used][end] = math.Inf(1)
			if used == 0 {
				continue
			}
			inside := 0
			for begin := end; begin >= 1; begin-- { // the range is (begin-1, end]
				inside += counts[begin]
				if c := cost[used-1][begin-1] + float64(inside*end); c < cost[used][end] {
					cost[used][end], from[used][end] = c, begin-1
				}
			}
		}
	}
	var ends []int
	for used, end := k, top; end > 0; used, end = used-1, from[used][end] {
		ends = append(ends, end)
	}
	slices.Reverse(ends)
	return ends
}
