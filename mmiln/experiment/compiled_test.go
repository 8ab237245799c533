package experiment_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment"
)

// A second seed on the graphs of the first is what it would have been alone.
func TestKeptGraphsChangeNothing(t *testing.T) {
	c := tiny(t)
	alone := train(t, c)
	o := options(t, "go")
	o.Compiled = &experiment.Compiled{}
	other := c
	other.Seed++
	_, err := experiment.Train(t.Context(), other, o)
	require.NoError(t, err)
	after, err := experiment.Train(t.Context(), c, o)
	require.NoError(t, err)
	assertSameBytes(t, alone.Dir, after.Dir)
}
