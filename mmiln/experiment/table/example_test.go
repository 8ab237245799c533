package table_test

import (
	"os"

	"github.com/mmiln/workbench/mmiln/experiment/paper"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// The paper's own rows, without a run beside them.
func ExampleCompute() {
	scores := func(model string) map[string]float64 {
		reported, err := paper.Lookup(model, paper.MOSI)
		if err != nil {
			panic(err)
		}
		found := map[string]float64{}
		for _, name := range table.PaperMetrics {
			if v, ok := reported.Get(name); ok {
				found[name] = v
			}
		}
		return found
	}
	t, err := table.Compute([]table.Group{
		{Name: "Self-MM", Data: paper.MOSI, Paper: scores("Self-MM"), PaperNote: "Table 2"},
		{Name: "MMILN", Data: paper.MOSI, Paper: scores("MMILN"), PaperNote: "Table 2"},
	}, table.Options{Metrics: []string{"non0_acc2", "mae", "corr"}})
	if err != nil {
		panic(err)
	}
	if err := t.Write(os.Stdout, "markdown"); err != nil {
		panic(err)
	}
	// Output:
	// |  | Acc-2 (&gt;0) | MAE | Corr |
	// | --- | ---:| ---:| ---:|
	// | Self-MM, MOSI, no run |  |  |  |
	// | &emsp;paper, Table 2 | 85.98 | 0.713 | 0.798 |
	// | MMILN, MOSI, no run |  |  |  |
	// | &emsp;paper, Table 2 | 86.43 | 0.709 | 0.801 |
}
