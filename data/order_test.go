package data_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat/distuv"
	"pgregory.net/rapid"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/planted"
)

func TestAnOrderIsAPermutation(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 50).Draw(r, "n")
		order := data.Order(rapid.Uint64().Draw(r, "seed"), rapid.IntRange(0, 100).Draw(r, "epoch"), n)
		slices.Sort(order)
		for i := range n {
			require.Equal(r, i, order[i])
		}
		require.Len(r, order, n)
	})
}

// Another machine or another version must visit the examples in the same order.
func TestAnOrderDependsOnSeedAndEpochOnly(t *testing.T) {
	assert.Equal(t, []int{3, 0, 2, 5, 7, 6, 4, 1}, data.Order(1, 0, 8))
	assert.NotEqual(t, data.Order(1, 0, 50), data.Order(1, 1, 50))
	assert.NotEqual(t, data.Order(1, 0, 50), data.Order(2, 0, 50))
}

func TestAllOrdersAreEquallyLikely(t *testing.T) {
	counts := map[[4]int]int{}
	const epochs = 24000
	for epoch := range epochs {
		counts[[4]int(data.Order(7, epoch, 4))]++
	}
	require.Len(t, counts, 24)
	chi2 := 0.0
	for _, n := range counts {
		chi2 += float64((n-epochs/24)*(n-epochs/24)) / (epochs / 24)
	}
	assert.Less(t, chi2, distuv.ChiSquared{K: 23}.Quantile(0.999))
}

func TestBatchesKeepTheLastPartialOne(t *testing.T) {
	assert.Equal(t, [][]int{{4, 2}, {0, 1}, {3}}, data.Batches([]int{4, 2, 0, 1, 3}, 2))
	assert.Empty(t, data.Batches(nil, 2))
}

func plantedSet(t *testing.T) *data.Development {
	t.Helper()
	c := planted.MOSI()
	c.Train, c.Valid, c.Test = 600, 50, 50
	c.Length = [3]int{45, 100, 135}
	dir := t.TempDir() + "/planted"
	_, err := c.Save(dir)
	require.NoError(t, err)
	d, _ := open(t, dir)
	return d
}

func TestBucketsAscendInEightsUpToTheLongest(t *testing.T) {
	d := plantedSet(t)
	for _, k := range []int{1, 2, 4, 8} {
		buckets := data.NewBuckets(d.Train, d.Schema().Longest(), 16, k)
		assert.LessOrEqual(t, len(buckets), k)
		assert.Equal(t, d.Schema().Length, buckets[len(buckets)-1])
		for i, bucket := range buckets[:len(buckets)-1] {
			for m, n := range bucket {
				assert.True(t, n%8 == 0 || n == d.Schema().Length[m], "%v", bucket)
				assert.LessOrEqual(t, n, buckets[i+1][m])
			}
		}
	}
}

func TestEveryBatchFitsItsBucketAndNoSmallerOne(t *testing.T) {
	d := plantedSet(t)
	buckets := data.NewBuckets(d.Train, d.Schema().Longest(), 8, 4)
	for _, rows := range data.Batches(data.Order(3, 0, d.Valid.Len()), 8) {
		steps := buckets.Steps(d.Valid, rows)
		_, err := d.Valid.Batch(rows, steps)
		require.NoError(t, err)
		if i := slices.Index(buckets, steps); i > 0 {
			_, err := d.Valid.Batch(rows, buckets[i-1])
			require.ErrorContains(t, err, "and the batch is padded to")
		}
	}
}

func TestBucketsAreUsedAboutEquallyOften(t *testing.T) {
	d := plantedSet(t)
	buckets := data.NewBuckets(d.Train, d.Schema().Longest(), 8, 3)
	require.Len(t, buckets, 3)
	used := map[[3]int]int{}
	for epoch := range 20 {
		for _, rows := range data.Batches(data.Order(1, epoch, d.Train.Len()), 8) {
			used[buckets.Steps(d.Train, rows)]++
		}
	}
	for _, bucket := range buckets {
		assert.InDelta(t, 500, used[bucket], 250, "%v: %v", bucket, used)
	}
}

func TestBucketsCountTokensAsStepsOfText(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	buckets := data.NewBuckets(d.Train, d.Schema().Longest(), 1, 2)
	assert.Equal(t, data.Buckets{{8, 1, 0}, {11, 1, 0}}, buckets)
	assert.Equal(t, [3]int{8, 1, 0}, buckets.Steps(d.Train, []int{0, 5}))
	assert.Equal(t, [3]int{11, 1, 0}, buckets.Steps(d.Train, []int{0, 6}))
}

func TestRowsThatNoBucketHoldsGetTheirOwnLength(t *testing.T) {
	dir, _ := save(t)
	d, _ := open(t, dir)
	assert.Equal(t, [3]int{11, 1, 0}, data.Buckets{{8, 8, 8}}.Steps(d.Train, []int{8}))
}
