// Package peer lets a benchmark take turns with another implementation, a program that answers each line with one of its own.
package peer

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Python is a script that runs beside a benchmark.
type Python struct {
	b       *testing.B
	script  string
	in      io.Writer
	answers *bufio.Scanner
}

// Start runs a script with the Python that $MMILN_PYTHON names, until the benchmark ends. It skips where none is named.
func Start(b *testing.B, script string) *Python {
	python := os.Getenv("MMILN_PYTHON")
	if python == "" {
		b.Skip("MMILN_PYTHON names no Python with what " + script + " imports")
	}
	command := exec.Command(python, script)
	in, err := command.StdinPipe()
	require.NoError(b, err)
	out, err := command.StdoutPipe()
	require.NoError(b, err)
	command.Stderr = os.Stderr
	require.NoError(b, command.Start())
	b.Cleanup(func() { _ = in.Close(); _ = command.Wait() })
	return &Python{b, script, in, bufio.NewScanner(out)}
}

// Ask sends a line of words and returns the words of the answer.
func (p *Python) Ask(words ...any) []string {
	_, err := fmt.Fprintln(p.in, words...)
	require.NoError(p.b, err)
	require.True(p.b, p.answers.Scan(), "%s stopped", p.script)
	return strings.Fields(p.answers.Text())
}

// Time is [Python.Ask] where the first word of the answer is how long something took, in seconds.
func (p *Python) Time(words ...any) time.Duration { return Seconds(p.b, p.Ask(words...)[0]) }

// Seconds reads a duration.
func Seconds(b *testing.B, word string) time.Duration {
	seconds, err := strconv.ParseFloat(word, 64)
	require.NoError(b, err)
	return time.Duration(seconds * float64(time.Second))
}

// Quartile is the lower one, in seconds.
func Quartile(times []time.Duration) float64 {
	slices.Sort(times)
	return times[len(times)/4].Seconds()
}
