package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// torch is the other side: torch_step.py, asked for steps over its standard input.
type torch struct {
	First     float64            `json:"first_step_s"`
	Attention string             `json:"attention"`
	Recurrent string             `json:"recurrent"`
	Adam      string             `json:"adam"`
	Threads   int                `json:"threads"`
	Version   string             `json:"torch"`
	Tried     map[string]float64 `json:"tried_ms"`
	RSS       float64            `json:"-"`

	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func startTorch(python, script, lengths string) (*torch, error) {
	t := &torch{process: exec.Command(python, script, "--lengths", lengths)}
	t.process.Stderr = os.Stderr
	var err error
	if t.in, err = t.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := t.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	t.out = bufio.NewReader(out)
	if err := t.process.Start(); err != nil {
		return nil, fmt.Errorf("%w; name a Python with torch by --python, or give an empty one", err)
	}
	line, err := t.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("%s %s ended before its first step (is torch installed there?): %w", python, script, err)
	}
	return t, decode(line, t)
}

func (t *torch) describe() string {
	return fmt.Sprintf("torch %s, %d threads, attention %s, recurrent %s, Adam %s", t.Version, t.Threads, t.Attention, t.Recurrent, t.Adam)
}

// run takes k steps and returns the milliseconds of each.
func (t *torch) run(k int) ([]float64, error) {
	if _, err := fmt.Fprintf(t.in, "go %d\n", k); err != nil {
		return nil, err
	}
	line, err := t.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("torch_step.py ended: %w", err)
	}
	var answer struct {
		Times []float64 `json:"step_ms"`
		RSS   float64   `json:"rss_mb"`
	}
	err = decode(line, &answer)
	t.RSS = answer.RSS
	return answer.Times, err
}

func (t *torch) stop() {
	_ = t.in.Close() // its end of input
	_ = t.process.Wait()
}

// decode reads one line of torch_step.py.
func decode(line []byte, into any) error {
	if err := json.Unmarshal(line, into); err != nil {
		return fmt.Errorf("torch_step.py said %q: %w", line, err)
	}
	return nil
}
