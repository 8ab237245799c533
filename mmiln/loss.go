package mmiln

import . "github.com/gomlx/gomlx/core/graph"

// Loss is Eq. (36): ℓ = ℓ_task + α ℓ_sim + β ℓ_diff. Without MRM the last two are measured but do not count.
func (m *MMILN) Loss(out Output, labels Labels) Loss {
	var kept []Head
	for _, head := range out.Heads {
		if !m.dropped(head.Task) {
			kept = append(kept, head)
		}
	}
	l := Loss{Task: TaskLoss(kept, labels, m.FusionLoss)}
	l.Sim, l.Diff = ZerosLike(l.Task), ZerosLike(l.Task)
	l.Total = l.Task
	l.SimLayers, l.DiffLayers = m.Refusion(out.Summaries)
	if l.SimLayers == nil {
		return l
	}
	l.Sim, l.Diff = m.enters(l.SimLayers), m.enters(l.DiffLayers)
	if m.Ablation != "no_mrm" {
		l.Total = Add(l.Task, Add(MulScalar(l.Sim, m.Alpha), MulScalar(l.Diff, m.Beta)))
	}
	return l
}

// TaskLoss is Eq. (35): ℓ_task = 1/N Σ ((ŷ_m − y_m)² + Σ_n tanh|y_n − y_m| · |ŷ_n − y_n|), or with |ŷ_m − y_m| (fusion "l1",
// Self-MM's). heads[0] is the multimodal one.
func TaskLoss(heads []Head, labels Labels, fusion string) *Node {
	truth := labels[Multimodal]
	total := Abs(Sub(heads[0].Prediction, truth))
	if fusion == "l2" {
		total = Square(total)
	}
	for _, head := range heads[1:] {
		weight := Tanh(Abs(Sub(labels[head.Task], truth)))
		total = Add(total, Mul(weight, Abs(Sub(head.Prediction, labels[head.Task]))))
	}
	return ReduceAllMean(total)
}
