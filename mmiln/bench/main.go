// Command bench times one training step of MMILN against the same model in PyTorch, in one run, alternating, and prints the
// ratio: batch 16, d_s 128, 8 heads, 3 layers, features 768/5/20, dropout 0.1, one Adam step a batch. Before, it times both sides
// from the start of a process to the end of its first step, ours without kept programs and with them.
//
//	go run ./mmiln/bench --python python3                     # needs torch, see torch_step.py
//	go run ./mmiln/bench --lengths 50/375/500 --backend go --rounds 2
package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// pause lets torch's threads, which spin for a while after their work, go to sleep before our turn.
const pause = 300 * time.Millisecond

// leastRounds are done however long they take.
const leastRounds = 3

type options struct {
	lengths, backend, python, script string
	rounds, steps                    int
	limit                            time.Duration
	first                            bool
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
	flags.IntVar(&o.rounds, "rounds", 7, "how often the two take turns, at most")
	flags.IntVar(&o.steps, "steps", 3, "training steps a turn")
	flags.DurationVar(&o.limit, "limit", 90*time.Second, "begin no new turn after so long, but do three")
	flags.BoolVar(&o.first, "first", false, "end after the first step; what the comparison of starts runs")
	if command.Execute() != nil {
		os.Exit(1)
	}
}

func run(o options) error {
	if o.first {
		_, err := start(o.backend, o.lengths)
		return err
	}
	fmt.Println(machine())
	for _, lengths := range strings.Split(o.lengths, ",") {
		if err := compare(o, lengths); err != nil {
			return err
		}
	}
	return nil
}

// compare runs both sides at one triple of lengths.
func compare(o options, lengths string) error {
	o.lengths = lengths
	ours, err := start(o.backend, lengths)
	if err != nil {
		return err
	}
	fmt.Printf("lengths %s, %s\n", lengths, ours.note)
	var theirs *torch
	if o.python != "" {
		if theirs, err = startTorch(o.python, o.script, lengths); err != nil {
			return err
		}
		defer theirs.stop()
		fmt.Printf("  %s\n", theirs.describe())
		if err := compareStarts(o, theirs); err != nil {
			return err
		}
	}
	t, err := turns(o, ours, theirs)
	if err != nil {
		return err
	}
	fmt.Printf("  ours:  %s, %.0f MB resident\n", describe(slices.Concat(t.mine...)), resident(os.Getpid()))
	if theirs != nil {
		fmt.Printf("  torch: %s, %.0f MB resident\n", describe(slices.Concat(t.others...)), theirs.RSS)
		fmt.Printf("  torch/ours, a step: %s\n", t.ratios())
	}
	return nil
}

// rounds are the milliseconds of each step, round by round.
type rounds struct{ mine, others [][]float64 }

// turns lets both sides step alternately; theirs may be nil.
func turns(o options, ours *bench, theirs *torch) (t rounds, err error) {
	began := time.Now()
	for round := range o.rounds {
		if round >= leastRounds && time.Since(began) > o.limit {
			break
		}
		var mine []float64
		for range o.steps {
			took, err := ours.step()
			if err != nil {
				return t, err
			}
			mine = append(mine, took)
		}
		t.mine = append(t.mine, mine)
		if theirs != nil {
			others, err := theirs.run(o.steps)
			if err != nil {
				return t, err
			}
			t.others = append(t.others, others)
			time.Sleep(pause)
		}
	}
	return t, nil
}

// ratios is theirs over ours, of the medians of a round: the median over rounds and how far rounds differ.
func (t rounds) ratios() string {
	var all []float64
	for i := range t.mine {
		all = append(all, median(t.others[i])/median(t.mine[i]))
	}
	return fmt.Sprintf("%.2f at the median of %d rounds, %.2f to %.2f", median(all), len(all), slices.Min(all), slices.Max(all))
}

func describe(times []float64) string {
	return fmt.Sprintf("%.1f ms a step at the median, %.1f at the best of %d", median(times), slices.Min(times), len(times))
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
