package walk

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/device"
	"github.com/mmiln/workbench/gomlx_ext/masked"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment"
)

// CountWeights counts a configuration's weights: it builds the network on one step of each modality and runs nothing.
func CountWeights(c experiment.Config) (int, error) {
	m, err := c.Model()
	if err != nil {
		return 0, err
	}
	development, _, err := Data(c)
	if err != nil {
		return 0, err
	}
	backend, _, err := device.Open("go")
	if err != nil {
		return 0, err
	}
	g := graph.NewGraph(backend, "count")
	sequence := func(name string, width int) masked.Sequence {
		x := graph.Parameter(g, name, shapes.Make(dtypes.Float32, 1, 1, max(width, 1)))
		return masked.New(x, graph.Parameter(g, name+" length", shapes.Make(dtypes.Int32, 1)))
	}
	width, store := development.Schema().Width, model.NewStore()
	m.Forward(store.RootScope(), mmiln.Inputs{
		Text: sequence("text", width[0]), Audio: sequence("audio", width[1]), Vision: sequence("vision", width[2]),
	}, nil)
	return store.NumParameters(), nil
}
