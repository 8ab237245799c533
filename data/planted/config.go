package planted

import (
	"fmt"
	"math"

	"github.com/mmiln/workbench/data"
)

// Config says what to generate. Start from [MOSI], [MOSEI] or [Demo]. Arrays are indexed by [data.Modality].
type Config struct {
	Seed               uint64
	Train, Valid, Test int     // examples, at least one each
	Width              [3]int  // features per step, at least 4
	Length             [3]int  // longest sequence in steps, at least 8; longer draws are cut
	Correlation        float64 // of any two latents, in [0, 1)
	// Weights of text, audio and vision in the label.
	Weights [3]float64
	// Noise is the standard deviation of what is added to each feature of each step.
	Noise [3]float64
}

// MOSI has MOSI's sizes, 1284/229/686, in widths that train within seconds.
func MOSI() Config {
	return Config{
		Seed: 1, Train: 1284, Valid: 229, Test: 686,
		Width: [3]int{24, 12, 16}, Length: [3]int{30, 60, 60},
		Correlation: 0.3, Weights: [3]float64{0.55, 0.4, 0.4}, Noise: [3]float64{0.1, 0.25, 0.25},
	}
}

// MOSEI is MOSI with MOSEI's sizes, 16326/1871/4659.
func MOSEI() Config {
	c := MOSI()
	c.Train, c.Valid, c.Test = 16326, 1871, 4659
	return c
}

// Demo is MOSI with 320/80/160 examples and sequences of at most 20/40/40 steps.
func Demo() Config {
	c := MOSI()
	c.Train, c.Valid, c.Test = 320, 80, 160
	c.Length = [3]int{20, 40, 40}
	return c
}

// Limits of a configuration.
const (
	minWidth  = 4 // three directions of events, and one more for noise
	minLength = 8 // the longest phrase, "not very good", within a frame
)

// Validate returns an error that names the first field that cannot be used, its value and what is allowed.
func (c Config) Validate() error {
	for i, n := range c.sizes() {
		if n < 1 {
			return fmt.Errorf("planted: %s has %d examples; ask for at least 1", data.Splits[i], n)
		}
	}
	if !(c.Correlation >= 0 && c.Correlation < 1) {
		return fmt.Errorf("planted: correlation is %v; choose it in [0, 1), since latents that are equal leave nothing to fuse", c.Correlation)
	}
	for _, m := range data.Modalities {
		if err := c.validateModality(m); err != nil {
			return err
		}
	}
	if c.Weights == [3]float64{} {
		return fmt.Errorf("planted: all weights are 0; give at least one modality a say in the label")
	}
	return nil
}

func (c Config) validateModality(m data.Modality) error {
	switch {
	case c.Width[m] < minWidth:
		return fmt.Errorf("planted: width of %s is %d; use at least %d", m, c.Width[m], minWidth)
	case c.Length[m] < minLength:
		return fmt.Errorf("planted: length of %s is %d steps; use at least %d", m, c.Length[m], minLength)
	case math.IsNaN(c.Weights[m]) || math.IsInf(c.Weights[m], 0):
		return fmt.Errorf("planted: weight of %s is %v; use a finite number", m, c.Weights[m])
	case !(c.Noise[m] >= 0) || math.IsInf(c.Noise[m], 0):
		return fmt.Errorf("planted: noise of %s is %v; use a finite number of at least 0", m, c.Noise[m])
	}
	return nil
}

func (c Config) sizes() [3]int { return [3]int{c.Train, c.Valid, c.Test} }
