package planted

import (
	"math"

	"github.com/mmiln/workbench/data"
)

// stream is audio or video: events that carry sentiment, among noise.
type stream struct {
	manner
	noise                   float64
	cue, marker, distractor []float64 // orthonormal
}

// manner is what tells audio from video.
type manner struct {
	short, long int     // an event's duration in steps
	gain        float64 // an event that says 1 adds this much along cue, over its duration
	memory      float64 // of the noise from step to step, in [0, 1)
}

var manners = [3]manner{
	data.Audio:  {short: 3, long: 5, gain: 4, memory: 0.3},   // prosody: short and sharp
	data.Vision: {short: 5, long: 9, gain: 5.5, memory: 0.5}, // expressions: slow
}

// offset is the standard deviation per feature of what a speaker adds to every step.
const offset = 0.3

func newStream(c Config, m data.Modality) *stream {
	u := c.directions(m, 3)
	return &stream{manner: manners[m], noise: c.Noise[m], cue: u[0], marker: u[1], distractor: u[2]}
}

// sequence draws steps that carry sentiment s: [steps, width].
func (st *stream) sequence(r draws, s float64, steps int) []float32 {
	frames := st.background(r, steps)
	events := 1 + r.below(min(3, max(1, steps/8)))
	for i, share := range r.shares(s, events) {
		begin, shape := st.event(r, steps*i/events, steps*(i+1)/events)
		for k, height := range shape {
			add(frames[begin+k], float64(st.gain*float64(share*height)), st.cue)
			add(frames[begin+k], float64(height*float64(len(shape))), st.marker) // an event shows, whatever it says
		}
	}
	for range r.below(3) {
		begin, shape := st.event(r, 0, steps)
		loud := float64(st.gain * r.normal())
		for k, height := range shape {
			add(frames[begin+k], float64(loud*height), st.distractor)
		}
	}
	return flatten(frames)
}

// background is a speaker's offset, which says nothing, and noise that decays from step to step.
func (st *stream) background(r draws, steps int) [][]float64 {
	width := len(st.cue)
	speaker := make([]float64, width)
	for i := range speaker {
		speaker[i] = offset * r.normal()
	}
	orthogonalize(speaker, st.cue)

	fresh := math.Sqrt(1 - float64(st.memory*st.memory))
	state := make([]float64, width)
	frames := make([][]float64, steps)
	for t := range frames {
		frames[t] = make([]float64, width)
		for i := range state {
			if t == 0 {
				state[i] = st.noise * r.normal()
			} else {
				state[i] = float64(st.memory*state[i]) + float64(fresh*float64(st.noise*r.normal()))
			}
			frames[t][i] = speaker[i] + state[i]
		}
	}
	return frames
}

// shares splits s into n parts of either sign that add up to it.
func (r draws) shares(s float64, n int) []float64 {
	parts := make([]float64, n)
	left := s
	for i := range n - 1 {
		parts[i] = left/float64(n-i) + float64(0.5*r.normal())
		left -= parts[i]
	}
	parts[n-1] = left
	return parts
}

// event places one event within steps [from, to): a parabola whose heights add up to 1.
func (st *stream) event(r draws, from, to int) (begin int, shape []float64) {
	n := min(st.short+r.below(st.long-st.short+1), to-from)
	shape = make([]float64, n)
	sum := 0.0
	for i := range shape {
		x := float64(2*i+1-n) / float64(n+1)
		shape[i] = 1 - float64(x*x)
		sum += shape[i]
	}
	for i := range shape {
		shape[i] /= sum
	}
	return from + r.below(to-from-n+1), shape
}

func flatten(frames [][]float64) []float32 {
	flat := make([]float32, 0, len(frames)*len(frames[0]))
	for _, frame := range frames {
		for _, v := range frame {
			flat = append(flat, float32(v))
		}
	}
	return flat
}
