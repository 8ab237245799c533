package data_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/data"
)

func TestByLengthVisitsEveryExampleOnce(t *testing.T) {
	d := plantedSet(t)
	n := d.Train.Len()
	batches := data.ByLength(d.Train, data.Order(1, 2, n), 16, 4, 1, 2)
	for _, batch := range batches[:len(batches)-1] {
		assert.Len(t, batch, 16)
	}
	rows := slices.Concat(batches...)
	slices.Sort(rows)
	want := make([]int, n)
	for i := range want {
		want[i] = i
	}
	assert.Equal(t, want, rows)
}

func TestByLengthDependsOnItsArgumentsOnly(t *testing.T) {
	d := plantedSet(t)
	batches := func(epoch int) [][]int {
		return data.ByLength(d.Train, data.Order(1, epoch, d.Train.Len()), 16, 4, 1, epoch)
	}
	assert.Equal(t, batches(1), batches(1))
	assert.NotEqual(t, batches(1), batches(2))
}

// TestAPoolOfAStepChangesNoStep is why a pool of as many batches as an update sums costs nothing: whatever the pool's order, the
// update sees the examples that batches at random would have given it.
func TestAPoolOfAStepChangesNoStep(t *testing.T) {
	d := plantedSet(t)
	const size, every = 16, 4
	order := data.Order(1, 2, d.Train.Len())
	random, sorted := data.Batches(order, size), data.ByLength(d.Train, order, size, every, 1, 2)
	require.Len(t, sorted, len(random))
	for first := 0; first < len(random); first += every {
		last := min(first+every, len(random))
		assert.ElementsMatch(t, slices.Concat(random[first:last]...), slices.Concat(sorted[first:last]...))
	}
	assert.NotEqual(t, random, sorted)
}

// padded counts steps of text, with and without padding.
func padded(examples data.Examples, batches [][]int, buckets data.Buckets) (steps, needed int) {
	for _, rows := range batches {
		steps += len(rows) * buckets.Steps(examples, rows)[data.Text]
		for _, row := range rows {
			needed += examples.Info(row).Lengths[data.Text]
		}
	}
	return steps, needed
}

func TestTightBucketsLeaveLittlePadding(t *testing.T) {
	d := plantedSet(t)
	order := data.Order(1, 0, d.Train.Len())
	steps, needed := padded(d.Train, data.ByLength(d.Train, order, 16, 8, 1, 0), data.TightBuckets(d.Train, d.Schema().Length, 5))
	apart, _ := padded(d.Train, data.Batches(order, 16), data.NewBuckets(d.Train, d.Schema().Length, 16, 5))
	assert.Less(t, float64(steps), 1.4*float64(needed))
	assert.Less(t, steps, apart)
}

func TestTightBucketsHoldEverythingAndAscend(t *testing.T) {
	d := plantedSet(t)
	for _, k := range []int{1, 2, 5, 8} {
		buckets := data.TightBuckets(d.Train, d.Schema().Length, k)
		require.LessOrEqual(t, len(buckets), k)
		assert.Equal(t, d.Schema().Length, buckets[len(buckets)-1])
		for i, bucket := range buckets[:len(buckets)-1] {
			assert.Less(t, bucket[data.Text], buckets[i+1][data.Text])
			assert.LessOrEqual(t, bucket[data.Audio], buckets[i+1][data.Audio])
		}
	}
}

// The best two ranges are found by trying all.
func TestTightBucketsAreTheBest(t *testing.T) {
	d := plantedSet(t)
	waste := func(end int) (total int) {
		for i := range d.Train.Len() {
			if n := d.Train.Info(i).Lengths[data.Text]; n <= end {
				total += end
			} else {
				total += d.Schema().Length[data.Text]
			}
		}
		return total
	}
	best := 4
	for end := 4; end < d.Schema().Length[data.Text]; end += 4 {
		if waste(end) < waste(best) {
			best = end
		}
	}
	assert.Equal(t, best, data.TightBuckets(d.Train, d.Schema().Length, 2)[0][data.Text])
}
