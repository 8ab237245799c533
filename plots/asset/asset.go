// Package asset holds what a page needs beside its data, so that no chart ever asks the network for anything.
//
// echarts.min.js is dist/echarts.min.js of Apache ECharts 6.1.0, unchanged; its licence and notice lie beside it.
package asset

import _ "embed"

// ECharts is the library; where no module loader is in sight it defines the global echarts.
//
//go:embed echarts.min.js
var ECharts string

// Themes registers the themes mmiln-light and mmiln-dark with the global echarts.
//
//go:embed themes.js
var Themes string

// Draw draws every chart of a page as it comes into view, and follows the page's size and theme.
//
//go:embed draw.js
var Draw string

// Style lays out a chart's figure on screen and on paper.
//
//go:embed style.css
var Style string
