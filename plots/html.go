package plots

import (
	"bytes"
	"encoding/base64"
	"html/template"
	"regexp"

	"github.com/mmiln/workbench/plots/asset"
)

var figure = template.Must(template.New("figure").Parse(`<figure class="mmiln-chart">
<figcaption><strong>{{.Title}}.</strong> {{.Says}}</figcaption>
<div class="mmiln-plot" style="height:{{.Height}}px" data-alt="{{.Alt}}">{{with .Picture}}<img alt="{{$.Alt}}" src="{{.}}" style="width:100%;max-height:100%">{{end}}
<script type="application/json">{{.Option}}</script></div>
{{if .CSV}}<a class="mmiln-data" download="{{.File}}.csv" href="{{.CSV}}">data as CSV</a>
{{end}}</figure>
`))

// HTML is the chart as a fragment of a page: its caption, a static picture, the option that [Setup]'s script draws in its
// place, and a link to the data. Whatever strings the chart holds, nothing in it runs.
func (c Chart) HTML() (template.HTML, error) {
	picture, err := c.SVG()
	if err != nil {
		return "", err
	}
	return c.figure(picture)
}

// figure fills the fragment. Without a picture there is only what the script draws.
func (c Chart) figure(picture []byte) (template.HTML, error) {
	option, err := c.optionJSON()
	if err != nil {
		return "", err
	}
	view := struct {
		Title, Says, Alt, File string
		Height                 int
		Picture, CSV           template.URL
		Option                 template.JS
	}{
		Title: c.Title, Says: c.Says, Alt: c.Alt, Height: c.height(), File: fileName(c.Name), Option: template.JS(option),
	}
	if picture != nil {
		view.Picture = dataURL("image/svg+xml", picture)
	}
	if len(c.Table.Columns) > 0 {
		view.CSV = dataURL("text/csv;charset=utf-8", c.Table.CSV())
	}
	var out bytes.Buffer
	if err := figure.Execute(&out, view); err != nil {
		return "", err
	}
	return template.HTML(out.String()), nil
}

func dataURL(kind string, content []byte) template.URL {
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(content))
}

var notFileName = regexp.MustCompile(`[^\pL\pN._-]+`)

// fileName keeps letters, digits, dots, hyphens and underscores of a name.
func fileName(name string) string { return notFileName.ReplaceAllString(name, "-") }

// Script is what draws the charts of a page, in one piece: ECharts, hidden from module loaders, its themes, and the drawing.
func Script() string {
	return "(function () {\nvar define, exports, module;\nif (!window.echarts) {\n" + asset.ECharts + "\n}\n})();\n" +
		asset.Themes + asset.Draw
}

// Style is how a page lays out charts.
func Style() string { return asset.Style }

// Setup is what a notebook or a page must hold once, anywhere, for its charts to come alive. It asks the network for nothing.
func Setup() template.HTML {
	return template.HTML("<style>" + Style() + "</style>\n<script>" + Script() + "</script>\n")
}
