package exhibit

import (
	"maps"
	"slices"

	"github.com/mmiln/workbench/mmiln"
)

// View is what the model makes of one utterance.
type View struct {
	Words       []string
	Lengths     [3]int // steps of each modality that the model saw
	Truth       Truth
	Predictions map[mmiln.Task]float32
	Gates       map[string]Gate      // by tap
	Attention   map[string][]float32 // what each step receives, mean over heads and valid queries, by tap
	Pseudo      []Pseudo
}

// Truth is what the planted data knows.
type Truth struct {
	Text, Audio, Vision float32
	Multimodal          float32 // as the data set derives it from the three
	Label               float64 // y_m: the above, or what the reader put in its place
}

// Gate is the mean of one gate over channels and valid steps.
type Gate struct{ Computed, Moved float32 }

// Pseudo is the pseudo-label of one task.
type Pseudo struct {
	Task    mmiln.Task
	Alpha   float64   // Eq. (31)
	Fused   float64   // α_m
	Course  []float64 // y_s of epochs 1 to [MaxEpochs], were F* always this one
	Label   float64   // y_s of the epoch that was chosen
	Truth   float32   // the unimodal one
	Guarded bool      // |α_m| is below the guard
	Clipped bool      // a new label is beyond the limit
}

// Refusion is Eqs. (25) and (26) over a batch.
type Refusion struct {
	Examples   int
	Orders     int         // the one chosen
	Similarity [][]float32 // ℓ_sim [orders, layers]
	Difference []float32   // ℓ_diff [layers]
}

// Others is how many examples stand beside the utterance.
func (r *Refusion) Others() int { return r.Examples - 1 }

// relabel lets the run's own label generator, as it stood at the best epoch, take the utterance for one more training example
// whose F* stays as it is.
func (e *Exhibit) relabel(c Controls, v *View, features map[mmiln.Task][]float32) []Pseudo {
	u := e.withRow(c, v.Truth.Label)
	row := len(u.Seen) - 1
	var all []Pseudo
	for _, task := range u.Tasks[1:] {
		truth := map[mmiln.Task]float32{mmiln.Audio: v.Truth.Audio, mmiln.Vision: v.Truth.Vision}[task]
		all = append(all, Pseudo{Task: task, Truth: truth, Course: []float64{v.Truth.Label}})
	}
	for epoch := 2; epoch <= MaxEpochs; epoch++ {
		alphas := u.Step(epoch, []int{row}, features)
		for i := range all {
			p := &all[i]
			if epoch == 2 {
				p.Alpha, p.Fused = alphas[p.Task][0], alphas[mmiln.Multimodal][0]
				p.Guarded, p.Clipped = u.Guarded > 0, u.Clipped[p.Task] > 0
			}
			p.Course = append(p.Course, u.Labels[p.Task][row])
		}
	}
	for i := range all {
		all[i].Label = all[i].Course[c.Epochs-1]
	}
	return all
}

// withRow is a copy of the label generator with one more row, counters at 0.
func (e *Exhibit) withRow(c Controls, label float64) *mmiln.ULGM {
	from := e.bundle.ULGM
	u := &mmiln.ULGM{
		Config: from.Config, Tasks: from.Tasks, Width: from.Width, Seen: append(slices.Clone(from.Seen), false),
		Features: map[mmiln.Task][]float32{}, Labels: map[mmiln.Task][]float64{}, Centres: maps.Clone(from.Centres),
		Clipped: map[mmiln.Task]int{},
	}
	u.Config.Distance, u.Config.Guard = c.Distance, c.Guard
	for _, task := range u.Tasks {
		u.Features[task] = append(slices.Clone(from.Features[task]), make([]float32, u.Width[task])...)
		u.Labels[task] = append(slices.Clone(from.Labels[task]), label)
		u.Centres[task] = [2][]float64{slices.Clone(from.Centres[task][0]), slices.Clone(from.Centres[task][1])}
	}
	return u
}
