package panel_test

import (
	"fmt"

	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/plots/playground/exhibit"
	"github.com/mmiln/workbench/plots/playground/panel"
)

func ExampleSeen() {
	v := &exhibit.View{
		Predictions: map[mmiln.Task]float32{mmiln.Multimodal: 1.5}, Truth: exhibit.Truth{Multimodal: 1.8},
	}
	fmt.Println(panel.Seen(v, exhibit.Controls{Drop: []string{"audio"}}).Said)
	// Output: Predicted sentiment +1.50, planted truth +1.80. Withheld: audio.
}
