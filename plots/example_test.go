package plots_test

import (
	"fmt"

	"github.com/mmiln/workbench/plots"
)

func ExampleCases() {
	chart, err := plots.Cases([]plots.Case{
		{Text: "hardly charming, but so funny", Truth: 0.8, Said: map[string]float64{"ours": 0.5}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(chart.Alt)
	fmt.Print(string(chart.Table.CSV()))
	// Output:
	// Dot plot of labels and predictions for 1 utterances by 1 systems.
	// text,system,value
	// "hardly charming, but so funny",label,0.8
	// "hardly charming, but so funny",ours,0.5
}
