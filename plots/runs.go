package plots

import (
	"encoding/json"
	"fmt"

	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// missing says what a run lacks for a chart.
func missing(run *record.Reader, what string) error {
	m := run.Manifest()
	return fmt.Errorf("plots: %s has no %s (the run is %s)", run.Dir(), what, m.Status)
}

// resultOf reads what a run came to; false where it has not finished.
func resultOf(m record.Manifest) (experiment.Result, bool) {
	var r experiment.Result
	if m.Status != record.Finished || json.Unmarshal(m.Result, &r) != nil {
		return r, false
	}
	return r, true
}

// configOf reads a run's resolved configuration.
func configOf(m record.Manifest) (c experiment.Config, err error) {
	if err := json.Unmarshal(m.Config, &c); err != nil {
		return c, fmt.Errorf("plots: run %s: its configuration cannot be read: %w", m.Name, err)
	}
	return c, nil
}
