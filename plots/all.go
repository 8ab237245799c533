package plots

import (
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Truths hold, by task, the unimodal truth of training examples by id, as planted data have it.
type Truths map[mmiln.Task]map[string]float32

// Of draws everything that one run has recorded, with the truths where they are not nil. What it has not recorded is told by
// missing, one error a chart.
func Of(run *record.Reader, truths Truths) (charts []Chart, missing []error) {
	add := func(c Chart, err error) {
		if err != nil {
			missing = append(missing, err)
			return
		}
		charts = append(charts, c)
	}
	add(Losses(run))
	for _, name := range []string{"mae", "corr", "non0_acc2"} {
		add(Metric(run, name))
	}
	add(Gates(run))
	add(GateSpread(run))
	add(Similarity(run))
	add(Orthogonality(run))
	for _, task := range mmiln.Auxiliary {
		add(Drift(run, task))
		add(Trajectories(run, task, truths[task]))
	}
	add(Flips(run))
	add(Recovery(run))
	for _, split := range []string{"valid", "test"} {
		add(Predictions(run, split))
		add(Residuals(run, split))
	}
	return charts, missing
}
