package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
)

func TestARunSaysWhetherItsScoresAreAsExpected(t *testing.T) {
	scores, err := metric.Evaluate([]float32{1, -1, 2}, []float32{1.5, -1.5, 2.5}) // an MAE of 0.5
	require.NoError(t, err)
	c := experiment.Config{Expect: map[string]float64{"mae": 0.52, "corr": 0.1}}
	assert.Empty(t, verdict(c, scores), "it does not say how near")
	c.Within = map[string]float64{"mae": 0.03}
	assert.Equal(t, "\nas expected\n", verdict(c, scores))
	c.Within["mae"] = 0.01
	assert.Equal(t, "\nnot as expected: MAE is 0.500 and not 0.520 ± 0.010; mmiln doctor says what this machine runs on\n", verdict(c, scores))
	assert.Contains(t, verdict(c, metric.Undetermined()), "MAE is n/a")
}
