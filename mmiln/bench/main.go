// Command bench times one training step of MMILN against the same model in PyTorch, in one run, alternating, and prints the
// ratio: batch 16, d_s 128, 8 heads, 3 layers, features 768/5/20, dropout 0.1, one Adam step a batch.
//
//	go run ./mmiln/bench --python python3                     # needs torch, see torch_step.py
//	go run ./mmiln/bench --lengths 50/375/500 --backend go --rounds 2
package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

const batch = 16

// pause lets torch's threads, which spin for a while after their work, go to sleep before our turn.
const pause = 300 * time.Millisecond

var widths = [3]int{768, 5, 20}

type options struct {
	lengths, backend, python, script string
	rounds, steps                    int
}

func main() {
	var o options
	command := &cobra.Command{
		Use: "bench", Short: "time a training step of MMILN against PyTorch", Args: cobra.NoArgs, SilenceUsage: true,
		RunE: func(*cobra.Command, []string) error { return run(o) },
	}
	flags := command.Flags()
	flags.StringVar(&o.lengths, "lengths", "50/50/50,50/375/500", "text/audio/vision steps, several separated by commas")
	flags.StringVar(&o.backend, "backend", "auto", "as in mmiln train")
	flags.StringVar(&o.python, "python", "python3", "a Python with torch; empty: no comparison")
	flags.StringVar(&o.script, "script", "mmiln/bench/torch_step.py", "the PyTorch side")
	flags.IntVar(&o.rounds, "rounds", 7, "how often the two take turns")
	flags.IntVar(&o.steps, "steps", 3, "training steps a turn")
	if command.Execute() != nil {
		os.Exit(1)
	}
}

func run(o options) error {
	for _, lengths := range strings.Split(o.lengths, ",") {
		if err := compare(o, lengths); err != nil {
			return err
		}
	}
	return nil
}

// compare runs both sides at one triple of lengths.
func compare(o options, lengths string) error {
	ours, err := start(o.backend, lengths)
	if err != nil {
		return err
	}
	fmt.Printf("lengths %s, %s\n  ours:  first step %.1f s\n", lengths, ours.note, ours.first.Seconds())
	var theirs *torch
	if o.python != "" {
		if theirs, err = startTorch(o.python, o.script, lengths); err != nil {
			return err
		}
		defer theirs.stop()
		fmt.Printf("  torch: first step %.1f s, %s\n", theirs.First, theirs.describe())
	}
	var mine, other []float64
	for range o.rounds {
		for range o.steps {
			took, err := ours.step()
			if err != nil {
				return err
			}
			mine = append(mine, took)
		}
		if theirs != nil {
			times, err := theirs.run(o.steps)
			if err != nil {
				return err
			}
			other = append(other, times...)
			time.Sleep(pause)
		}
	}
	fmt.Printf("  ours:  %s, %.0f MB resident\n", describe(mine), resident(os.Getpid()))
	if theirs != nil {
		fmt.Printf("  torch: %s, %.0f MB resident\n", describe(other), theirs.RSS)
		fmt.Printf("  torch/ours: %.2f at the median, %.2f at the best\n", median(other)/median(mine), slices.Min(other)/slices.Min(mine))
	}
	return nil
}

// bench is our side: an engine and one fixed batch in which every sequence is full.
type bench struct {
	engine *experiment.Engine
	batch  *data.Batch
	labels map[mmiln.Task][]float32
	note   string
	first  time.Duration
	seed   uint32
}

func start(backendName, lengths string) (*bench, error) {
	backend, note, err := device.Open(backendName)
	if err != nil {
		return nil, err
	}
	c := experiment.Default()
	c.Train.UpdateEvery = 1
	c.MMILN.Head.Multimodal.Dropout, c.MMILN.Head.Audio.Dropout, c.MMILN.Head.Vision.Dropout = 0.1, 0.1, 0.1
	m, err := c.Model()
	if err != nil {
		return nil, err
	}
	b := &bench{note: note, labels: map[mmiln.Task][]float32{}}
	if b.batch, err = full(lengths); err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, task := range m.Tasks() {
		for range batch {
			b.labels[task] = append(b.labels[task], 6*r.Float32()-3)
		}
	}
	begin := time.Now()
	if b.engine, err = experiment.NewEngine(backend, c, m); err != nil {
		return nil, err
	}
	_, err = b.step()
	b.first = time.Since(begin)
	return b, err
}

// step returns its milliseconds; reading the loss is part of it.
func (b *bench) step() (float64, error) {
	begin := time.Now()
	b.seed++
	_, err := b.engine.Step(b.batch, b.labels, b.seed)
	return float64(time.Since(begin).Microseconds()) / 1000, err
}

func full(lengths string) (*data.Batch, error) {
	var steps [3]int
	if n, err := fmt.Sscanf(lengths, "%d/%d/%d", &steps[0], &steps[1], &steps[2]); n != 3 {
		return nil, fmt.Errorf("--lengths %q: write text/audio/vision steps, such as 50/375/500: %w", lengths, err)
	}
	b := &data.Batch{Rows: make([]int, batch)}
	r := rand.New(rand.NewPCG(3, 4))
	for m, n := range steps {
		s := data.Sequences{Values: make([]float32, batch*n*widths[m]), Lengths: make([]int32, batch), Steps: n, Width: widths[m]}
		for i := range s.Values {
			s.Values[i] = float32(r.NormFloat64())
		}
		for i := range s.Lengths {
			s.Lengths[i] = int32(n)
		}
		b.Sequences[m] = s
	}
	return b, nil
}

func describe(times []float64) string {
	return fmt.Sprintf("%.1f ms a step at the median, %.1f at the best of %d", median(times), slices.Min(times), len(times))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// resident is a process' memory in MB, 0 where the system does not tell.
func resident(pid int) float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	var size, pages int
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		return 0
	}
	return float64(pages) * float64(os.Getpagesize()) / (1 << 20)
}

// decode reads one line of torch_step.py.
func decode(line []byte, into any) error {
	if err := json.Unmarshal(line, into); err != nil {
		return fmt.Errorf("torch_step.py said %q: %w", line, err)
	}
	return nil
}
