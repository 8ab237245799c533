package main

import (
	"testing"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFewSentencesRunOnPureGoUnlessABackendIsNamed(t *testing.T) {
	chosen := func(variable string, sentences int, args ...string) string {
		t.Setenv(compute.ConfigEnvVar, variable)
		var w where
		command := &cobra.Command{}
		w.flags(command)
		require.NoError(t, command.ParseFlags(args))
		w.fit(command, sentences)
		return w.backend
	}
	assert.Equal(t, "go", chosen("", 1))
	assert.Equal(t, "go", chosen("", few))
	assert.Equal(t, "auto", chosen("", few+1))
	assert.Equal(t, "auto", chosen("", 1, "--backend", "auto"))
	assert.Equal(t, "xla:cpu", chosen("", 1, "--backend", "xla:cpu"))
	assert.Equal(t, "auto", chosen("xla:cpu", 1))
}
