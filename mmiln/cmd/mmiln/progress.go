package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/pool"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/study"
)

// progress shows an experiment at work: one line a process that begins or ends, and on a terminal a line below that lives.
type progress struct {
	out      io.Writer
	terminal bool
	study    *study.Study
	began    time.Time
	before   float64 // what was done when work began

	mu      sync.Mutex
	running int
	stop    chan struct{}
	stopped chan struct{}
}

func newProgress(out io.Writer, s *study.Study, jobs int) *progress {
	file, ok := out.(*os.File)
	p := &progress{
		out: out, terminal: ok && term.IsTerminal(int(file.Fd())), study: s, began: time.Now(),
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	if status, err := s.Status(); err == nil {
		p.before, _ = status.Progress()
	}
	fmt.Fprintf(out, "%s: working in %s, %d processes at once\n", s.Plan().Title, s.Dir(), jobs)
	go p.live()
	return p
}

// live redraws the line each second, on a terminal.
func (p *progress) live() {
	defer close(p.stopped)
	if !p.terminal {
		return
	}
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-p.stop:
			tick.Stop()
			fmt.Fprint(p.out, clearLine)
			return
		case <-tick.C:
			p.mu.Lock()
			fmt.Fprint(p.out, clearLine, p.line())
			p.mu.Unlock()
		}
	}
}

// clearLine empties the line that the cursor is in.
const clearLine = "\r\033[K"

func (p *progress) end() {
	close(p.stop)
	<-p.stopped
}

// watch is told of every process that begins or ends.
func (p *progress) watch(j pool.Job, o *pool.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		fmt.Fprint(p.out, clearLine)
	}
	if o == nil {
		p.running++
		fmt.Fprintf(p.out, "begins    %s\n", j.Name)
		return
	}
	p.running--
	switch {
	case o.Err == nil:
		fmt.Fprintf(p.out, "finished  %s, %s   %s\n", j.Name, o.Took.Round(time.Second), p.line())
	case errors.Is(o.Err, context.Canceled):
		fmt.Fprintf(p.out, "saved     %s\n", j.Name)
	default:
		fmt.Fprintf(p.out, "FAILED    %s, %s: %s\n", j.Name, o.Took.Round(time.Second), o.Last)
	}
}

// line is "12 of 18 runs, 2 at work, ETA 3m10s".
func (p *progress) line() string {
	status, err := p.study.Status()
	if err != nil {
		return err.Error()
	}
	counts, total := status.Counts(), 0
	for _, n := range counts {
		total += n
	}
	line := fmt.Sprintf("%d of %d runs", counts[record.Finished], total)
	if tried, trials := tried(status); trials > 0 {
		line = fmt.Sprintf("%d of %d trials, %s", tried, trials, line)
	}
	if p.running > 0 {
		line += fmt.Sprintf(", %d at work", p.running)
	}
	if n := counts[record.Failed]; n > 0 {
		line += fmt.Sprintf(", %d failed", n)
	}
	if done, all := status.Progress(); done > p.before && done < all {
		left := time.Duration(float64(time.Since(p.began)) * (all - done) / (done - p.before))
		line += ", ETA " + left.Round(time.Second).String()
	}
	return line
}

func tried(status study.Status) (tried, trials int) {
	for _, row := range status.Rows {
		tried, trials = tried+row.Tried, trials+row.Trials
	}
	return tried, trials
}

// meanScores are a row's MAE on validation and test, mean ± standard deviation over the seeds that finished.
func meanScores(row study.RowStatus) (valid, test string) {
	var v, t []metric.Scores
	for _, run := range row.Runs {
		if run.Result != nil {
			v, t = append(v, run.Result.Valid), append(t, run.Result.Test)
		}
	}
	return meanScore(v), meanScore(t)
}

func meanScore(scores []metric.Scores) string {
	s, err := metric.Summarize(scores)
	if err != nil {
		return "" // none has finished
	}
	return summary(s, "mae")
}
