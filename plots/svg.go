package plots

import (
	"fmt"
	"strings"
	"sync"

	"github.com/dop251/goja"

	"github.com/mmiln/workbench/plots/asset"
)

// svgWidth is that of the static pictures, in pixels; they scale.
const svgWidth = 800

// renderer is ECharts in a JavaScript engine without a page, which draws to text. Starting it takes half a second, a chart a
// tenth; so there is one.
type renderer struct {
	mu     sync.Mutex
	render goja.Callable
	vm     *goja.Runtime
}

// Without a page there are no fonts to measure. Letters are taken to be as wide as in the widest of common fonts, so that labels
// are given too much room rather than too little.
const measure = `echarts.setPlatformAPI({ measureText: function (text, font) {
  var size = /([\d.]+)px/.exec(font || '');
  return { width: text.length * 0.6 * (size ? +size[1] : 12) };
} });`

const renderFunction = `(function (option, width, height) {
  var chart = echarts.init(null, 'mmiln-light', { renderer: 'svg', ssr: true, width: width, height: height });
  option = JSON.parse(option);
  option.animation = false;
  chart.setOption(option);
  var svg = chart.renderToSVGString({ useViewBox: true });
  chart.dispose();
  return svg;
})`

var svgRenderer = sync.OnceValues(func() (*renderer, error) {
	r := &renderer{vm: goja.New()}
	for _, timer := range []string{"setTimeout", "clearTimeout"} { // what they would do is for living pages
		_ = r.vm.Set(timer, func(goja.FunctionCall) goja.Value { return goja.Undefined() })
	}
	for _, script := range []string{asset.ECharts, asset.Themes, measure} {
		if _, err := r.vm.RunString(script); err != nil {
			return nil, fmt.Errorf("plots: starting ECharts: %w", err)
		}
	}
	function, err := r.vm.RunString(renderFunction)
	if err != nil {
		return nil, fmt.Errorf("plots: starting ECharts: %w", err)
	}
	r.render, _ = goja.AssertFunction(function)
	return r, nil
})

// SVG draws the chart as a picture without scripts, 800 pixels wide.
func (c Chart) SVG() ([]byte, error) {
	option, err := c.optionJSON()
	if err != nil {
		return nil, err
	}
	r, err := svgRenderer()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	svg, err := r.render(goja.Undefined(), r.vm.ToValue(string(option)), r.vm.ToValue(svgWidth), r.vm.ToValue(c.height()))
	if err != nil {
		return nil, fmt.Errorf("plots: drawing chart %q: %w", c.Name, err)
	}
	return []byte(strings.Map(inXML, svg.String())), nil
}

// inXML drops what XML has no place for: control characters and lone halves of surrogate pairs.
func inXML(r rune) rune {
	if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
		return -1
	}
	return r
}
