//go:build unix

package pool_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mmiln/workbench/mmiln/experiment/pool"
)

// TestMain lets the test binary be a parent that can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("POOL_TEST_PARENT"); dir != "" {
		pool.Local{N: 2}.Run(context.Background(), []pool.Job{shell(dir, "a", "echo $$ > a.pid; sleep 60"), shell(dir, "b", "echo $$ > b.pid; sleep 60")}, nil)
		return
	}
	os.Exit(m.Run())
}

func shell(dir, name, script string) pool.Job {
	return pool.Job{Name: name, Argv: []string{"sh", "-c", "cd " + dir + " && " + script}, Log: filepath.Join(dir, "logs", name+".log")}
}

func TestAFailureStopsNoOtherAndShowsItsLastLine(t *testing.T) {
	dir := t.TempDir()
	var seen []string
	outcomes := pool.Local{N: 1}.Run(t.Context(), []pool.Job{
		shell(dir, "bad", "echo something; echo it went wrong >&2; exit 3"), shell(dir, "good", "touch done"),
	}, func(j pool.Job, o *pool.Outcome) { seen = append(seen, fmt.Sprint(j.Name, o == nil)) })
	assert.EqualError(t, outcomes[0].Err, "exit status 3")
	assert.Equal(t, "it went wrong", outcomes[0].Last)
	assert.NoError(t, outcomes[1].Err)
	assert.FileExists(t, filepath.Join(dir, "done"))
	assert.Equal(t, []string{"badtrue", "badfalse", "goodtrue", "goodfalse"}, seen)
}

func TestLogsAreAppended(t *testing.T) {
	dir := t.TempDir()
	for _, word := range []string{"first", "second"} {
		pool.Local{N: 1}.Run(t.Context(), []pool.Job{shell(dir, "job", "echo "+word)}, nil)
	}
	text, err := os.ReadFile(filepath.Join(dir, "logs/job.log"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "first\n")
	assert.Contains(t, string(text), "second\n")
}

func TestNoMoreRunAtOnceThanThereAreSlots(t *testing.T) {
	dir := t.TempDir()
	var jobs []pool.Job
	for i := range 6 {
		jobs = append(jobs, shell(dir, fmt.Sprint(i), "sleep 0.05"))
	}
	var running, most atomic.Int32
	pool.Local{N: 2}.Run(t.Context(), jobs, func(_ pool.Job, o *pool.Outcome) {
		if o != nil {
			running.Add(-1)
			return
		}
		most.Store(max(most.Load(), running.Add(1)))
	})
	assert.EqualValues(t, 2, most.Load())
}

func TestCancellingAsksJobsToSaveAndWaitsForThem(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	outcomes := pool.Local{N: 1}.Run(ctx, []pool.Job{
		shell(dir, "saves", `trap 'sleep 0.2; echo saved; exit 130' TERM; echo ready; while :; do sleep 0.05; done`), shell(dir, "never", "touch begun"),
	}, func(_ pool.Job, o *pool.Outcome) {
		if o == nil {
			go func() { awaitText(filepath.Join(dir, "logs/saves.log"), "\nready\n"); cancel() }()
		}
	})
	assert.ErrorIs(t, outcomes[0].Err, context.Canceled)
	assert.Equal(t, "saved", outcomes[0].Last)
	assert.ErrorIs(t, outcomes[1].Err, context.Canceled)
	assert.Zero(t, outcomes[1].Took)
	assert.NoFileExists(t, filepath.Join(dir, "begun"))
}

func awaitText(path, want string) bool {
	for range 200 {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), want) {
			return true
		}
		time.Sleep(10 * time.Millisecond)
	}
	return false
}

func TestACommandThatIsNotThereIsAFailure(t *testing.T) {
	outcomes := pool.Local{}.Run(t.Context(), []pool.Job{{Name: "x", Argv: []string{"/no/such/program"}, Log: filepath.Join(t.TempDir(), "x.log")}, {Name: "y"}}, nil)
	assert.ErrorContains(t, outcomes[0].Err, "it could not be started")
	assert.Error(t, outcomes[1].Err)
}

func TestTheDefaultIsAtLeastOne(t *testing.T) {
	assert.GreaterOrEqual(t, pool.Default(), 1)
	assert.LessOrEqual(t, pool.Default(), runtime.NumCPU())
}

func ExampleLocal_Run() {
	dir, err := os.MkdirTemp("", "pool")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	outcomes := pool.Local{N: 2}.Run(context.Background(), []pool.Job{
		{Name: "one", Argv: []string{"sh", "-c", "echo all is well"}, Log: filepath.Join(dir, "one.log")},
		{Name: "two", Argv: []string{"sh", "-c", "echo no such data; exit 1"}, Log: filepath.Join(dir, "two.log")},
	}, nil)
	for _, o := range outcomes {
		fmt.Println(o.Job.Name, o.Err, o.Last)
	}
	// Output:
	// one <nil> all is well
	// two exit status 1 no such data
}
