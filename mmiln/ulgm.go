package mmiln

import (
	"fmt"
	"math"
)

// ULGMConfig holds the readings of the label generator.
type ULGMConfig struct {
	// Distance (R17): plain is ‖F − C‖₂, what Self-MM's code takes; printed is ‖F − C‖₂²/√d, Eqs. (29) and (30).
	Distance string `toml:"distance" json:"distance"`
	// Guard (R14) is the least |α_m| that Eq. (34) divides by, keeping the sign; 0 adds 1e-8 instead, as Self-MM's code does.
	Guard float64 `toml:"guard" json:"guard"`
	// Limit is H: pseudo-labels are clipped to ±H.
	Limit float64 `toml:"limit" json:"limit"`
	// Centres: zeros averages over all rows, those not yet seen counting as zero vectors (Self-MM's quirk in epoch 1); seen
	// averages over the rows seen so far.
	Centres string `toml:"centres" json:"centres"`
}

// DefaultULGM is Self-MM's code with a guarded denominator.
func DefaultULGM() ULGMConfig {
	return ULGMConfig{Distance: "plain", Guard: 1e-3, Limit: 3, Centres: "zeros"}
}

// Validate names the first field that cannot be used.
func (c ULGMConfig) Validate() error {
	if err := oneOf("distance (R17)", c.Distance, "plain", "printed"); err != nil {
		return err
	}
	if err := oneOf("centres", c.Centres, "zeros", "seen"); err != nil {
		return err
	}
	if !(c.Guard >= 0 && c.Guard < 1) {
		return fmt.Errorf("guard (R14) is %v; use a number in [0, 1)", c.Guard)
	}
	if !(c.Limit > 0) || math.IsInf(c.Limit, 0) {
		return fmt.Errorf("limit is %v; use the largest label, 3 for MOSI", c.Limit)
	}
	return nil
}

// ratioEpsilon is ε of Eq. (31).
const ratioEpsilon = 1e-8

// ULGM generates pseudo-labels, Eqs. (29)–(34). Its exported fields are its whole state, which belongs to the training state:
// one row for each of the N training examples, whatever the batches.
type ULGM struct {
	Config   ULGMConfig
	Tasks    []Task                // multimodal first
	Width    map[Task]int          // of F*
	Features map[Task][]float32    // F* as last seen, [N, width]
	Labels   map[Task][]float64    // y, [N]; the multimodal ones never change
	Centres  map[Task][2][]float64 // positive, negative; [width] each
	Seen     []bool                // [N]
	Guarded  int                   // how often |α_m| was below the guard
	Clipped  map[Task]int          // how often a new label was clipped
}

// NewULGM starts with every label at y_m.
func NewULGM(c ULGMConfig, truth []float32, tasks []Task, width map[Task]int) *ULGM {
	u := &ULGM{
		Config: c, Tasks: tasks, Width: width, Seen: make([]bool, len(truth)),
		Features: map[Task][]float32{}, Labels: map[Task][]float64{}, Centres: map[Task][2][]float64{}, Clipped: map[Task]int{},
	}
	for _, task := range tasks {
		u.Features[task] = make([]float32, len(truth)*width[task])
		u.Centres[task] = [2][]float64{make([]float64, width[task]), make([]float64, width[task])}
		u.Labels[task] = make([]float64, len(truth))
		for i, y := range truth {
			u.Labels[task][i] = float64(y)
		}
	}
	return u
}

// Step takes the features [len(rows), width] of one batch after its backward pass: from the second epoch on it relabels the
// batch from the centres as they stand, then stores the features, then recomputes the centres. Epochs count from 1. It
// returns the batch's α by task, or nil in the first epoch.
func (u *ULGM) Step(epoch int, rows []int, features map[Task][]float32) (alphas map[Task][]float64) {
	if epoch > 1 {
		alphas = u.relabel(epoch, rows, features)
	}
	for _, task := range u.Tasks {
		d := u.Width[task]
		for i, row := range rows {
			copy(u.Features[task][row*d:(row+1)*d], features[task][i*d:(i+1)*d])
			u.Seen[row] = true
		}
	}
	for _, task := range u.Tasks {
		u.recentre(task)
	}
	return alphas
}

// relabel is Eqs. (29)–(34) and the momentum over epochs.
func (u *ULGM) relabel(epoch int, rows []int, features map[Task][]float32) map[Task][]float64 {
	alphas := map[Task][]float64{}
	for _, task := range u.Tasks {
		alphas[task] = make([]float64, len(rows))
		d := u.Width[task]
		for i := range rows {
			alphas[task][i] = u.alpha(task, features[task][i*d:(i+1)*d])
		}
	}
	e := float64(epoch)
	for i, row := range rows {
		y, alpha := u.Labels[Multimodal][row], alphas[Multimodal][i]
		denominator := u.denominator(alpha)
		for _, task := range u.Tasks[1:] {
			ratio := alphas[task][i] / denominator * y // Eq. (32): y_s = α_s y_m / α_m
			offset := y + alphas[task][i] - alpha      // Eq. (33): y_s = y_m + α_s − α_m
			fresh := u.clip(task, (ratio+offset)/2)    // Eq. (34): their mean
			old := &u.Labels[task][row]
			*old = (e-1)/(e+1)**old + 2/(e+1)*fresh // y_sᵉ = (e−1)/(e+1)·y_sᵉ⁻¹ + 2/(e+1)·y_s
		}
	}
	return alphas
}

// alpha is Eq. (31): α = (Dⁿ − Dᵖ)/(Dᵖ + ε), how much nearer F* is to the positive centre.
func (u *ULGM) alpha(task Task, feature []float32) float64 {
	positive := u.distance(feature, u.Centres[task][0]) // Eq. (29): Dᵖ = ‖F* − Cᵖ‖₂²/√d
	negative := u.distance(feature, u.Centres[task][1]) // Eq. (30): Dⁿ = ‖F* − Cⁿ‖₂²/√d
	return (negative - positive) / (positive + ratioEpsilon)
}

func (u *ULGM) distance(feature []float32, centre []float64) float64 {
	sum := 0.0
	for i, f := range feature {
		difference := float64(f) - centre[i]
		sum += difference * difference
	}
	if u.Config.Distance == "printed" {
		return sum / math.Sqrt(float64(len(feature)))
	}
	return math.Sqrt(sum)
}

func (u *ULGM) denominator(alpha float64) float64 {
	switch {
	case u.Config.Guard == 0:
		return alpha + ratioEpsilon
	case math.Abs(alpha) >= u.Config.Guard:
		return alpha
	}
	u.Guarded++
	if alpha < 0 {
		return -u.Config.Guard
	}
	return u.Config.Guard
}

func (u *ULGM) clip(task Task, label float64) float64 {
	if math.Abs(label) > u.Config.Limit {
		u.Clipped[task]++
	}
	return min(max(label, -u.Config.Limit), u.Config.Limit)
}

// recentre averages the features of the rows whose current label of that task is positive, and of those where it is negative.
// An empty class keeps its centre.
func (u *ULGM) recentre(task Task) {
	d := u.Width[task]
	var counts [2]int
	sums := [2][]float64{make([]float64, d), make([]float64, d)}
	for row, label := range u.Labels[task] {
		if label == 0 || u.Config.Centres == "seen" && !u.Seen[row] {
			continue
		}
		class := 0
		if label < 0 {
			class = 1
		}
		counts[class]++
		for i, f := range u.Features[task][row*d : (row+1)*d] {
			sums[class][i] += float64(f)
		}
	}
	for class, n := range counts {
		for i := range sums[class] {
			if n > 0 {
				u.Centres[task][class][i] = sums[class][i] / float64(n)
			}
		}
	}
}
