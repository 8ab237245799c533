package plots

import (
	"fmt"

	"github.com/go-echarts/go-echarts/v2/charts"
	"github.com/go-echarts/go-echarts/v2/opts"
)

// heat adds the cells of a heat map, [column, row, value] each, and the scale of their colours.
func (c *canvas) heat(name string, cells [][3]any, low, high float64) {
	c.add(charts.SingleSeries{Name: name, Type: "heatmap", Data: cells}, nil)
	c.VisualMapList = []opts.VisualMap{{
		Type: "continuous", Min: float32(low), Max: float32(high), Calculable: opts.Bool(false), Orient: "horizontal",
		Text: []string{fmt.Sprint(short(high)), fmt.Sprint(short(low))},
		Left: "center", Top: "0",
		// Dark to light, evenly in lightness (cividis; Nuñez, Anderton and Renslow, 2018): it reads the same in grey.
		InRange: &opts.VisualMapInRange{Color: []string{"#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"}},
	}}
	c.GridList[0].Top = "64"
	c.Legend.Show = opts.Bool(false)
	c.Trigger = "item"
}
