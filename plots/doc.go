// Package plots draws what runs recorded. A chart is made from run folders only, or from values that a model let out by
// taps, by one function each:
//
//	run, err := record.Open("runs/demo-demo-s1111-20261125-024853")
//	chart, err := plots.Gates(run)
//
// In a notebook, [ShowSetup] goes into one cell near the top and [Show] wherever a chart shall stand. A page takes [Setup]
// once and [Chart.HTML] for each chart; plots/report assembles whole reports. Every chart carries a sentence on what to see,
// its data as CSV, and a static picture that stands there until a script draws the living one, on paper, and where no script
// may run. Nothing is ever fetched from a network.
//
// Missing values are gaps. Names from outside, such as transcripts or tags, are text everywhere and never markup.
package plots
