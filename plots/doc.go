// Package plots draws what runs recorded. A chart is made from run folders only, or from values that a model let out by
// taps, by one function each:
//
//	run, err := record.Open("runs/demo-demo-s1111-20261125-024853")
//	chart, err := plots.Gates(run)
//
// Of one run: [Losses], [Metric], [Gates], [GateSpread], [Similarity], [Orthogonality], [Drift], [Trajectories], [Flips],
// [Recovery], [Predictions], [Residuals]; [Of] makes all that a run has. Of one example, by experiment.Predictor.Look:
// [GateSteps] and [Attention]. Of several runs, put into rows by [Groups] and table.Compute: [Table2], [Ablations], [Layers].
// Of utterances: [Cases], Table 4.
//
// In a notebook, [ShowSetup] goes into one cell near the top and [Show] wherever a chart shall stand:
//
//	plots.ShowSetup()
//	err := plots.Show(plots.Must(plots.Losses(run)), plots.Must(plots.Gates(run)))
//
// While something trains, [Reporter] is an experiment.Reporter whose charts grow in place, and [Attach] does the same for any
// loop of GoMLX; call Done on the former when training has ended:
//
//	reporter := plots.NewReporter("demo")
//	result, err := experiment.Train(ctx, config, experiment.Options{Reporter: reporter, …})
//	err = errors.Join(err, reporter.Done())
//
// A page takes [Setup] once and [Chart.HTML] for each chart; plots/report assembles whole reports. Every chart carries a
// sentence on what to see, its data as CSV, and a static picture that stands there until a script draws the living one, on paper,
// and where no script may run. Nothing is ever fetched from a network.
//
// Missing values are gaps. Names from outside, such as transcripts or tags, are text everywhere and never markup.
package plots
