package plots

import (
	"fmt"

	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// missing says what a run lacks for a chart.
func missing(run *record.Reader, what string) error {
	m := run.Manifest()
	return fmt.Errorf("plots: %s has no %s (the run is %s)", run.Dir(), what, m.Status)
}
