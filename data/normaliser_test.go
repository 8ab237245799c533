package data_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/stat"

	"github.com/mmiln/workbench/data"
)

// skewed has audio of three features: one anywhere, one constant and one at 1e6. Valid and test are shifted by 100.
func skewed(t *testing.T) (d *data.Development, sealed *data.Sealed, columns [3][]float64) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "skewed")
	w, err := data.Create(dir, data.Source{Width: [3]int{0, 3, 0}})
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(1, 2))
	for _, split := range data.Splits {
		for i := range 700 {
			e := data.Example{Info: data.Info{ID: fmt.Sprintf("%s-%d", split, i), Lengths: [3]int{0, 1 + r.IntN(4), 0}}}
			for range e.Info.Lengths[data.Audio] {
				step := []float32{float32(3*r.NormFloat64() - 5), 0.1, float32(1e6 + r.NormFloat64())}
				for c := range step {
					if split == data.Train {
						columns[c] = append(columns[c], float64(step[c]))
					} else {
						step[c] += 100
					}
				}
				e.Values[data.Audio] = append(e.Values[data.Audio], step...)
			}
			require.NoError(t, w.Add(split, e))
		}
	}
	_, err = w.Close()
	require.NoError(t, err)
	d, sealed = open(t, dir)
	return d, sealed, columns
}

func TestANormaliserHoldsMeanAndDeviationOfTrainingSteps(t *testing.T) {
	d, _, columns := skewed(t)
	n := data.FitStandard(d)
	for _, c := range []int{0, 2} {
		mean, std := stat.PopMeanStdDev(columns[c], nil)
		assert.InEpsilon(t, mean, n.Mean[data.Audio][c], 1e-6)
		assert.InEpsilon(t, std, n.Std[data.Audio][c], 1e-6)
	}
	assert.Empty(t, n.Mean[data.Text])
}

func TestAConstantFeatureHasDeviationOne(t *testing.T) {
	d, _, _ := skewed(t)
	n := data.FitStandard(d)
	assert.Equal(t, float32(0.1), n.Mean[data.Audio][1])
	assert.Equal(t, float32(1), n.Std[data.Audio][1])
}

func TestNormalisedTrainingStepsHaveMeanZeroAndDeviationOne(t *testing.T) {
	d, _, _ := skewed(t)
	b, err := data.WithNormaliser(data.FitStandard(d), d.Train).Batch(data.Order(0, 0, d.Train.Len()), [3]int{})
	require.NoError(t, err)
	var first []float64
	q := b.Sequences[data.Audio]
	for i, n := range q.Lengths {
		for step := range int(n) {
			first = append(first, float64(q.Values[(i*q.Steps+step)*q.Width]))
		}
	}
	mean, std := stat.PopMeanStdDev(first, nil)
	assert.InDelta(t, 0, mean, 1e-5)
	assert.InDelta(t, 1, std, 1e-5)
}

func TestPaddingStaysZeroUnderANormaliser(t *testing.T) {
	d, _, _ := skewed(t)
	b, err := data.WithNormaliser(data.FitStandard(d), d.Valid).Batch([]int{0, 1}, [3]int{0, 20, 0})
	require.NoError(t, err)
	q := b.Sequences[data.Audio]
	for i, n := range q.Lengths {
		for _, v := range q.Values[(i*q.Steps+int(n))*q.Width : (i+1)*q.Steps*q.Width] {
			require.Zero(t, v)
		}
	}
}

func TestATestSplitIsNormalisedByTrainingsMoments(t *testing.T) {
	d, sealed, _ := skewed(t)
	test, err := sealed.Unseal("check", func(data.Opening) error { return nil })
	require.NoError(t, err)
	b, err := data.WithNormaliser(data.FitStandard(d), test).Batch([]int{0}, [3]int{})
	require.NoError(t, err)
	assert.Equal(t, float32(100), b.Sequences[data.Audio].Values[1]) // (100.1 − 0.1) / 1
}

func TestANormaliserSurvivesJSON(t *testing.T) {
	d, _, _ := skewed(t)
	n := data.FitStandard(d)
	encoded, err := json.Marshal(n)
	require.NoError(t, err)
	var back data.Normaliser
	require.NoError(t, json.Unmarshal(encoded, &back))
	assert.Equal(t, n.Std, back.Std)
	assert.Equal(t, n.Mean, back.Mean)
}

func TestANormaliserOfAnotherSetIsRefused(t *testing.T) {
	d, _, _ := skewed(t)
	n := data.FitStandard(d)
	n.Mean[data.Audio] = n.Mean[data.Audio][:2]
	_, err := data.WithNormaliser(n, d.Train).Batch([]int{0}, [3]int{})
	assert.ErrorContains(t, err, "audio has 3 features and the normaliser was fitted on 2")
}
