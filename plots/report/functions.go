package report

import (
	"fmt"
	"html/template"
	"math"

	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
	"github.com/mmiln/workbench/mmiln/experiment/table"
)

// functions are what the template calls.
var functions = template.FuncMap{
	"title":    func(name string) string { t, _ := metric.Title(name); return t },
	"show":     show,
	"meanStd":  meanStd,
	"signed":   signed,
	"constant": func(c table.Constant, name string) string { t, _ := c.Scores.Format(name); return t },
	"seed":     func(s table.Seed, name string) string { t, _ := s.Test.Format(name); return t },
	"fixed":    func(v float64) string { return fmt.Sprintf("%.1f", v) },
}

// show prints a value of a metric as papers do; a dash where there is none.
func show(name string, v record.Number) string {
	if math.IsNaN(float64(v)) {
		return "–"
	}
	return metric.Show(name, float64(v))
}

func meanStd(name string, m table.MeanStd) string {
	if math.IsNaN(float64(m.Std)) {
		return show(name, m.Mean)
	}
	return show(name, m.Mean) + " ± " + show(name, m.Std)
}

func signed(name string, v record.Number) string {
	if text := show(name, v); v <= 0 || text == "–" {
		return text
	}
	return "+" + show(name, v)
}
