package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/mmiln/workbench/mmiln/experiment"
)

// reporter shows training: a progress bar for the epoch on a terminal, one line an epoch everywhere.
type reporter struct {
	out      io.Writer
	terminal bool
	bar      *progressbar.ProgressBar
	began    time.Time
}

func newReporter(out io.Writer) *reporter {
	file, ok := out.(*os.File)
	return &reporter{out: out, terminal: ok && term.IsTerminal(int(file.Fd()))}
}

// Begin says where the run is written.
func (r *reporter) Begin(dir string, epochs, batches int) {
	r.began = time.Now()
	fmt.Fprintf(r.out, "writing to %s, at most %d epochs of %d batches\n", dir, epochs, batches)
}

// Batch moves the bar.
func (r *reporter) Batch(epoch, done, of int, loss float64) {
	if !r.terminal {
		return
	}
	if r.bar == nil || done == 1 {
		r.bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(r.out), progressbar.OptionClearOnFinish(),
			progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(true), progressbar.OptionSetWidth(30),
			progressbar.OptionThrottle(100*time.Millisecond))
	}
	r.bar.Describe(fmt.Sprintf("epoch %3d  loss %.4f", epoch, loss))
	_ = r.bar.Set(done) // a bar that cannot be drawn must not stop training
}

// Epoch prints what the epoch came to; the best so far has a star.
func (r *reporter) Epoch(e experiment.EpochReport) {
	star := " "
	if e.Best {
		star = "*"
	}
	fmt.Fprintf(r.out, "epoch %3d  train loss %8.4f  valid loss %8.4f  MAE %.3f  Corr %6.3f %s %5.0fs\n",
		e.Epoch, e.TrainLoss, e.ValidLoss, e.Valid.MAE, e.Valid.Corr, star, time.Since(r.began).Seconds())
}
