package plots

import (
	"encoding/json"
	"fmt"
)

// Chart is one picture, with what a reader needs to understand it and the data it shows.
type Chart struct {
	Name   string // of the file that the data is downloaded as, such as "gates"
	Title  string // one line
	Says   string // what to see
	Alt    string // the picture in words, for those who cannot see it
	Height int    // in pixels; 0 stands for 360
	Option Option
	Table  Table
}

// Option is what ECharts draws; every chart of go-echarts is one. Functions in it are not supported: what is written is JSON.
type Option interface {
	Validate()
	JSON() map[string]any
}

// Table is the data of a chart. Cells are strings, numbers or nil, which stands for what is not known.
type Table struct {
	Columns []string
	Rows    [][]any
}

// Add appends a row.
func (t *Table) Add(cells ...any) { t.Rows = append(t.Rows, cells) }

// height is the chart's in pixels.
func (c Chart) height() int {
	if c.Height == 0 {
		return 360
	}
	return c.Height
}

// optionJSON encodes the option. What could end a script or open a tag is escaped.
func (c Chart) optionJSON() ([]byte, error) {
	c.Option.Validate()
	option := c.Option.JSON()
	for _, own := range []string{"title", "toolbox", "color"} { // the figure has the title, the theme the colours
		delete(option, own)
	}
	text, err := json.Marshal(option)
	if err != nil {
		return nil, fmt.Errorf("plots: chart %q: %w (pass nil for a number that is not known)", c.Name, err)
	}
	return text, nil
}
