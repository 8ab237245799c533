package compilecache

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const cpuinfo = `processor	: 0
vendor_id	: AuthenticAMD
cpu family	: 25
cpu MHz		: 2596.10
flags		: fpu sse avx2

processor	: 1
flags		: another
`

func TestOfAProcessorTheFeaturesCountAndNotItsClock(t *testing.T) {
	require.Equal(t, "vendor_id: AuthenticAMD\ncpu family: 25\nflags: fpu sse avx2\n", firstProcessor(cpuinfo))
}

func TestTheMachineChangesWithTheFlagsOfTheEnvironment(t *testing.T) {
	before := Machine()
	require.Equal(t, before, Machine())
	for _, name := range machineVariables {
		t.Setenv(name, "other")
		require.NotEqual(t, before, Machine(), name)
		t.Setenv(name, "")
	}
}
