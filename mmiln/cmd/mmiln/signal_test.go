package main

import (
	"bufio"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// program is a child process that runs the command line.
type program struct {
	t       *testing.T
	command *exec.Cmd
	lines   chan string // of stderr; closed at its end
}

func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t: t, command: exec.CommandContext(t.Context(), os.Args[0], args...), lines: make(chan string, 1000)}
	p.command.Env = append(os.Environ(), asProgram+"=1")
	stderr, err := p.command.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	go p.listen(stderr)
	return p
}

func (p *program) listen(stderr io.Reader) {
	defer close(p.lines)
	for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
		p.lines <- scanner.Text()
	}
}

// await reads lines until one begins as given.
func (p *program) await(prefix string) {
	p.t.Helper()
	var before []string
	for line := range p.lines {
		if strings.HasPrefix(line, prefix) {
			return
		}
		before = append(before, line)
	}
	p.t.Fatalf("no line begins with %q:\n%s", prefix, strings.Join(before, "\n"))
}

// end waits, and returns the last line of stderr and the exit code: -1 where a signal killed the process.
func (p *program) end() (last string, code int) {
	p.t.Helper()
	for line := range p.lines {
		last = line
	}
	_ = p.command.Wait() // what it says is in the exit code
	return last, p.command.ProcessState.ExitCode()
}

// outputs are the files that depend on configuration, seed and data alone.
var outputs = []string{"metrics.jsonl", "gates.jsonl", "refusion.jsonl", "ulgm.jsonl", "pseudo_labels.csv", "predictions/test.csv"}

func assertSameBytes(t *testing.T, want, got string) {
	t.Helper()
	for _, name := range outputs {
		expected, err := os.ReadFile(filepath.Join(want, name))
		require.NoError(t, err)
		found, err := os.ReadFile(filepath.Join(got, name))
		require.NoError(t, err)
		assert.Equal(t, string(expected), string(found), name)
	}
}

// uninterrupted trains to the end, in this process.
func uninterrupted(t *testing.T) (dir string) {
	t.Helper()
	succeed(t, "train", "tiny.toml", "--backend", "go", "--runs", "whole")
	return runIn(t, "whole")
}

func TestAnInterruptSavesAndNamesTheCommandThatGoesOn(t *testing.T) {
	workplace(t, 15)
	whole := uninterrupted(t)
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		runs := strings.ToLower(signal.String())
		p := start(t, "train", "tiny.toml", "--backend", "go", "--runs", runs)
		p.await("epoch   1")
		require.NoError(t, p.command.Process.Signal(signal))
		last, code := p.end()
		require.Equal(t, 130, code, last)
		dir := runIn(t, runs)
		next := "mmiln resume " + dir + " --backend go"
		assert.Equal(t, "mmiln: interrupted; everything is saved, go on with: "+next, last)
		assert.Equal(t, record.Interrupted, reader(t, dir).Manifest().Status)
		assert.NoFileExists(t, filepath.Join(dir, "opened.jsonl"))

		assert.Contains(t, succeed(t, strings.Fields(next)[1:]...), "best epoch")
		assertSameBytes(t, whole, dir)
	}
}

func TestAKilledRunGoesOnToTheSameMetrics(t *testing.T) {
	workplace(t, 20)
	began := time.Now()
	whole := uninterrupted(t)
	took := time.Since(began)

	p := start(t, "train", "tiny.toml", "--backend", "go")
	p.await("writing to")
	for range 3 {
		after := time.Duration(rand.Float64() * float64(took) / 4)
		time.Sleep(after)
		require.NoError(t, p.command.Process.Kill())
		_, code := p.end()
		t.Logf("killed after %v: exit code %d, %d epochs", after, code, len(metrics(t)))
		p = start(t, "resume", runFolder(t), "--backend", "go")
		if code == 0 { // it was faster
			break
		}
		p.await("writing to")
	}
	last, code := p.end()
	if code != 0 {
		assert.Contains(t, last, "has finished and cannot be resumed")
	}
	assert.Equal(t, record.Finished, reader(t, runFolder(t)).Manifest().Status)
	assertSameBytes(t, whole, runFolder(t))
}

func metrics(t *testing.T) []record.Scalars {
	t.Helper()
	lines, err := reader(t, runFolder(t)).Metrics()
	require.NoError(t, err)
	return lines
}

func TestAProgramThatFailsSaysSoOnceAndExitsWithOne(t *testing.T) {
	t.Chdir(t.TempDir())
	last, code := start(t, "train", "demo", "--backend", "go").end()
	assert.Equal(t, 1, code)
	assert.Regexp(t, "^mmiln: there is no data set at .data/demo; ", last)
}
