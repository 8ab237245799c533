package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

const batch = 16

var widths = [3]int{768, 5, 20}

// bench is our side: an engine and one fixed batch in which every sequence is full.
type bench struct {
	engine *experiment.Engine
	batch  *data.Batch
	labels map[mmiln.Task][]float32
	note   string
	seed   uint32
}

// start builds the model and takes its first step.
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
	if b.engine, err = experiment.NewEngine(backend, c, m); err != nil {
		return nil, err
	}
	_, err = b.step()
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
