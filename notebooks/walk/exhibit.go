package walk

import (
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/plots/playground"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

// Exhibit takes the trained model of a configuration apart, so that it can be moved by hand. Its data must be planted.
func Exhibit(c experiment.Config) (*exhibit.Bundle, *exhibit.Exhibit, error) {
	run, err := Run(c)
	if err != nil {
		return nil, nil, err
	}
	bundle, err := playground.Collect(run.Dir(), playground.Options{})
	if err != nil {
		return nil, nil, err
	}
	backend, err := Backend()
	if err != nil {
		return nil, nil, err
	}
	e, err := exhibit.Open(bundle, backend)
	return bundle, e, err
}
