//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/study"
)

// The whole tree of processes is killed, three times, at any moment; the end is that of an experiment that was left alone.
func TestAnExperimentThatIsKilledRepeatsNothingAndLosesNothing(t *testing.T) {
	laboratory(t, 5, twoTrials)
	runTwo(t, "whole")
	args := []string{"experiment", "run", "two.toml", "--backend", "go", "--out", "killed", "--jobs", "2"}
	kept := map[string]string{}
	for _, moment := range []func(study.Status) bool{
		func(s study.Status) bool { return s.Rows[0].Tried+s.Rows[1].Tried >= 1 },
		func(s study.Status) bool { return s.Counts()[record.Running] > 0 && epochs(s) > 0 },
		func(s study.Status) bool { return s.Counts()[record.Finished] >= 1 },
	} {
		killWhen(t, moment, args...)
		for path, state := range kept {
			assert.Equal(t, state, finishedRuns(t)[path], "%s had finished and was touched", path)
		}
		kept = finishedRuns(t)
		args = []string{"experiment", "resume", "killed", "--jobs", "2"}
	}
	assert.NotEmpty(t, kept)
	succeed(t, args...)
	for path, state := range kept {
		assert.Equal(t, state, finishedRuns(t)[path], "%s had finished and was touched", path)
	}
	assertSameExperiment(t)
}

// killWhen starts a program in a group of its own, kills the group with SIGKILL at a moment, and awaits the end of its children.
func killWhen(t *testing.T, moment func(study.Status) bool, args ...string) {
	t.Helper()
	command := exec.Command(os.Args[0], args...)
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, command.Start())
	deadline := time.Now().Add(60 * time.Second)
	for ; ; time.Sleep(2 * time.Millisecond) {
		require.True(t, time.Now().Before(deadline), "the moment never came")
		if s, err := study.Open("killed"); err == nil {
			if status, err := s.Status(); err == nil && moment(status) {
				break
			}
		}
	}
	require.NoError(t, syscall.Kill(-command.Process.Pid, syscall.SIGKILL))
	_ = command.Wait() // it was killed
	time.Sleep(100 * time.Millisecond)
	list, _ := record.List("killed") // a run that was killed at its beginning cannot be read
	for _, run := range list {
		assert.NotEqual(t, record.Running, run.Manifest.Status, "children die with their parent")
	}
}

// finishedRuns is the state of every file of every finished run.
func finishedRuns(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	list, _ := record.List("killed")
	for _, run := range list {
		if run.Manifest.Status == record.Finished {
			for path, state := range snapshotOf(t, run.Dir) {
				all[path] = state
			}
		}
	}
	return all
}

// assertSameExperiment compares the experiment that was killed with the one that was not.
func assertSameExperiment(t *testing.T) {
	t.Helper()
	whole, killed := statusOf(t, "whole"), statusOf(t, "killed")
	require.Equal(t, map[record.Status]int{record.Finished: 4}, killed.Counts())
	for i, row := range whole.Rows {
		assert.Equal(t, row.Search, killed.Rows[i].Search)
		for j, run := range row.Runs {
			assertSameBytes(t, run.Dir, killed.Rows[i].Runs[j].Dir)
		}
	}
	list, _ := record.List("killed")
	seen := map[string]bool{}
	for _, run := range list {
		if run.Manifest.Status == record.Finished {
			key := fmt.Sprint(filepath.Dir(run.Dir), run.Manifest.Seed, string(run.Manifest.Config))
			assert.False(t, seen[key], "%s was run twice", run.Dir)
			seen[key] = true
		}
	}
	assert.Len(t, seen, 8, "four trials and four runs")
}
