// Command fragment prints the walkthrough's trained model as a part of a page, in JSON, for export.py.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/mmiln/workbench/notebooks/walk"
	"github.com/mmiln/workbench/plots/playground"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	c, err := walk.Planted()
	if err != nil {
		return err
	}
	trained, err := walk.Run(c)
	if err != nil {
		return err
	}
	part, err := playground.Fragment(context.Background(), trained.Dir(), playground.Options{})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"html": part.HTML, "scripts": part.Scripts, "sources": part.Sources})
}
