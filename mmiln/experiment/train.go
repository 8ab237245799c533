package experiment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/compute"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/gomlx_ext/safetensors"
	"github.com/mmiln/workbench/gomlx_ext/snapshot"
	"github.com/mmiln/workbench/mmiln"
	"github.com/mmiln/workbench/mmiln/experiment/metric"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// Options say where a run happens and who watches.
type Options struct {
	Backend  compute.Backend
	Note     string // what the backend is, for run.json
	Runs     string // folder of run folders
	Argv     []string
	Reporter Reporter // nil: nobody
	// Compiled keeps compiled graphs for the next run. Nil: none are kept.
	Compiled *Compiled
	// Prune removes the checkpoints to resume from when a run has finished: with a large encoder they are a gigabyte.
	Prune bool
}

// Reporter watches training. It must not block for long.
type Reporter interface {
	Begin(dir string, epochs, batches int)
	Batch(epoch, done, of int, loss float64)
	Epoch(e EpochReport)
}

// EpochReport is what an epoch came to.
type EpochReport struct {
	Epoch     int
	TrainLoss float64 // ℓ, the mean over batches
	ValidLoss float64 // of the multimodal head alone
	Valid     metric.Scores
	Best      bool // so far, by what selection looks at
}

// ErrInterrupted is returned by a run that was asked to stop; it can be resumed.
var ErrInterrupted = errors.New("interrupted")

// Train runs a configuration from the beginning: it trains with early stopping on validation, takes the best epoch's weights,
// opens the test split once and leaves everything in a new run folder. Cancelling ctx saves a checkpoint and returns
// [ErrInterrupted].
func Train(ctx context.Context, c Config, o Options) (Result, error) {
	t, err := newTrainer(c, o)
	if err != nil {
		return Result{}, err
	}
	text, err := t.config.TOML()
	if err != nil {
		return Result{}, err
	}
	manifest, err := t.manifest()
	if err != nil {
		return Result{}, err
	}
	if t.run, err = record.Create(o.Runs, manifest); err != nil {
		return Result{}, err
	}
	if err := t.run.Config(text); err != nil {
		return Result{}, errors.Join(err, t.run.Close())
	}
	if err := t.begin(); err != nil {
		return Result{}, errors.Join(err, t.run.Finish(record.Failed, nil, err), t.run.Close())
	}
	return t.finish(ctx)
}

// Resume goes on with an interrupted or failed run from its last checkpoint, or from the beginning where it was killed before
// the first. On the same backend, what it writes is what an uninterrupted run would have written.
func Resume(ctx context.Context, dir string, o Options) (Result, error) {
	reader, err := record.Open(dir)
	if err != nil {
		return Result{}, err
	}
	if reader.Manifest().Status == record.Finished {
		return Result{}, fmt.Errorf("%s has finished and cannot be resumed; to score it: mmiln eval --run %s", dir, dir)
	}
	c, err := configOf(reader)
	if err != nil {
		return Result{}, err
	}
	t, err := newTrainer(c, o)
	if err != nil {
		return Result{}, err
	}
	if t.run, err = record.Resume(dir); err != nil {
		return Result{}, err
	}
	if err := t.rewind(); err != nil {
		return Result{}, errors.Join(err, t.run.Close())
	}
	return t.finish(ctx)
}

// ConfigOf reads the configuration of a run folder.
func ConfigOf(dir string) (Config, error) {
	reader, err := record.Open(dir)
	if err != nil {
		return Config{}, err
	}
	return configOf(reader)
}

func configOf(reader *record.Reader) (Config, error) {
	text, err := reader.Config()
	if err != nil {
		return Config{}, err
	}
	return Parse(reader.Dir()+"/config.toml", text)
}

// trainer is one run in progress.
type trainer struct {
	config      Config
	options     Options
	run         *record.Run
	development *data.Development
	sealed      *data.Sealed
	reader      reader
	train       data.Examples
	valid       data.Examples
	buckets     data.Buckets
	engine      *Engine
	ulgm        *mmiln.ULGM
	progress    progress
	epochBegan  time.Time
}

// open opens the data set.
func (d DataConfig) open() (*data.Development, *data.Sealed, error) {
	if d.Dir == "" {
		return nil, nil, errors.New("[data] dir is empty; name the folder of a data set there, or with --data")
	}
	if _, err := os.Stat(d.Dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("there is no data set at %[1]s; make one with mmiln data planted --out %[1]s or mmiln data import FILE --out %[1]s", d.Dir)
	}
	return data.Open(d.Dir)
}

func newTrainer(c Config, o Options) (*trainer, error) {
	development, sealed, err := c.Data.open()
	if err != nil {
		return nil, err
	}
	text, err := openText(c.Text, o.Backend)
	if err != nil {
		return nil, err
	}
	schema := text.schema(development.Schema())
	c = c.withoutAbsent(schema)
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m, err := c.Model()
	if err != nil {
		return nil, err
	}
	t := &trainer{config: c, options: o, development: development, sealed: sealed}
	t.reader = reader{normalise: c.Data.Normalise == "standard", text: text}
	if t.reader.normalise {
		t.reader.normaliser = data.FitStandard(development)
	}
	if t.train, err = t.reader.view(development.Train); err != nil {
		return nil, err
	}
	if t.valid, err = t.reader.view(development.Valid); err != nil {
		return nil, err
	}
	t.buckets = c.buckets(t.train, schema.Longest())
	if t.engine, err = o.Compiled.engine(o.Backend, c, schema, m, text); err != nil {
		return nil, err
	}
	t.ulgm = mmiln.NewULGM(c.ULGM, labelsOf(t.train), m.Tasks(), c.heads().Widths(m.Tasks()))
	return t, nil
}

// buckets are the padded lengths of batches.
func (c Config) buckets(examples data.Examples, longest [3]int) data.Buckets {
	if c.Data.Pool > 0 {
		return data.TightBuckets(examples, longest, c.Data.Buckets)
	}
	return data.NewBuckets(examples, longest, c.Train.Batch, c.Data.Buckets)
}

// batches are those of an epoch.
func (t *trainer) batches(epoch int) [][]int {
	c, order := t.config, data.Order(t.config.Seed, epoch, t.train.Len())
	if c.Data.Pool > 0 {
		return data.ByLength(t.train, order, c.Train.Batch, c.Data.Pool, c.Seed, epoch)
	}
	return data.Batches(order, c.Train.Batch)
}

// steps are the padded lengths of a batch. One that is not full is as long as can be: its shape is compiled but once.
func (t *trainer) steps(rows []int) [3]int {
	if len(rows) < t.config.Train.Batch {
		return t.buckets[len(t.buckets)-1]
	}
	return t.buckets.Steps(t.train, rows)
}

// withoutAbsent drops from MMILN what the data does not have.
func (c Config) withoutAbsent(schema data.Schema) Config {
	for _, m := range data.Modalities {
		if name := m.String(); schema.Width[m] == 0 && !slices.Contains(c.MMILN.Drop, name) {
			c.MMILN.Drop = append(slices.Clone(c.MMILN.Drop), name)
		}
	}
	return c
}

func labelsOf(e data.Examples) []float32 {
	labels := make([]float32, e.Len())
	for i := range labels {
		labels[i] = e.Info(i).Label
	}
	return labels
}

func (t *trainer) manifest() (record.Manifest, error) {
	config, err := json.Marshal(t.config)
	if err != nil {
		return record.Manifest{}, err
	}
	encoder, err := t.reader.text.hash()
	if err != nil {
		return record.Manifest{}, err
	}
	card := t.development.Card()
	return record.Manifest{
		Model: t.config.Name, Seed: t.config.Seed, Argv: t.options.Argv, Config: config, Backend: t.options.Note, Encoder: encoder,
		Data: record.Data{Name: card.Name, Dir: t.config.Data.Dir, Card: card.SHA256(), Arrays: card.Files},
	}, nil
}

// begin is where a run stands before its first batch.
func (t *trainer) begin() error {
	t.progress = progress{Epoch: 1, Width: t.development.Schema().Width, Normaliser: t.reader.normaliser}
	return t.engine.loadEncoder()
}

// rewind takes the last checkpoint that is whole and cuts the records back to it.
func (t *trainer) rewind() error {
	if t.run.Manifest().Data.Card != t.development.Card().SHA256() {
		return fmt.Errorf("%s was trained on other data than %s now holds; restore the data set or train anew", t.run.Dir(), t.config.Data.Dir)
	}
	state, _, _, err := snapshot.Latest(lastDir(t.run.Checkpoints()))
	switch {
	case errors.Is(err, fs.ErrNotExist): // it was killed before its first checkpoint
		if err := t.begin(); err != nil {
			return err
		}
	case err != nil:
		return fmt.Errorf("%s cannot be resumed: %w; train it anew", t.run.Dir(), err)
	default:
		if err := t.restore(state); err != nil {
			return err
		}
	}
	if err := t.noteBackend(); err != nil {
		return err
	}
	return t.run.Rewind(t.progress.Epoch - 1)
}

// noteBackend records that a run goes on elsewhere than it began: backends differ in the last bits.
func (t *trainer) noteBackend() error {
	was, resumed := t.run.Manifest().Backend, "; resumed on "+t.options.Note
	if was == t.options.Note || strings.HasSuffix(was, resumed) {
		return nil
	}
	return t.run.Update(func(m *record.Manifest) { m.Backend = was + resumed })
}

// finish trains to the end, tests, and closes the run in any case.
func (t *trainer) finish(ctx context.Context) (result Result, err error) {
	defer func() { err = errors.Join(err, t.run.Close()) }()
	if err := t.loop(ctx); err != nil {
		status := record.Failed
		if errors.Is(err, ErrInterrupted) {
			status = record.Interrupted
		}
		return Result{Dir: t.run.Dir()}, errors.Join(err, t.run.Finish(status, nil, err))
	}
	if result, err = t.test(); err != nil {
		return result, errors.Join(err, t.run.Finish(record.Failed, nil, err))
	}
	if err := t.run.Finish(record.Finished, result, nil); err != nil || !t.options.Prune {
		return result, err
	}
	return result, os.RemoveAll(lastDir(t.run.Checkpoints()))
}

// loop is training with early stopping.
func (t *trainer) loop(ctx context.Context) error {
	c, n := t.config.Train, t.train.Len()
	if t.options.Reporter != nil {
		t.options.Reporter.Begin(t.run.Dir(), c.MaxEpochs, (n+c.Batch-1)/c.Batch)
	}
	if err := t.prepare(); err != nil {
		return err
	}
	for p := &t.progress; !p.Done; {
		t.epochBegan = time.Now()
		batches := t.batches(p.Epoch)
		for ; p.Batch < len(batches); p.Batch++ {
			if ctx.Err() != nil {
				return t.interrupt()
			}
			if err := t.batch(batches); err != nil {
				return err
			}
		}
		if err := t.endEpoch(); err != nil {
			return err
		}
	}
	return nil
}

// prepare compiles what comes first, before the first batch. Pure Go compiles nothing.
func (t *trainer) prepare() error {
	p := t.progress
	if p.Done || t.options.Backend.Name() != xla {
		return nil
	}
	batches := t.batches(p.Epoch)
	rows := batches[min(p.Batch, len(batches)-1)]
	step, err := t.train.Batch(rows, t.steps(rows))
	if err != nil {
		return err
	}
	evaluation, err := firstBatch(t.valid, t.config.Train.Batch, t.buckets)
	if err != nil {
		return err
	}
	return t.engine.Prepare(step, evaluation)
}

// xla is the name of the backends that compile.
const xla = "xla"

// interrupt saves where training stands. Where that fails, the run has failed and not merely been interrupted.
func (t *trainer) interrupt() error {
	if err := t.checkpoint(); err != nil {
		return err
	}
	return ErrInterrupted
}

// batch trains on batch p.Batch of the epoch, in the order of selfmm.md: backward pass, then ULGM.
func (t *trainer) batch(batches [][]int) error {
	p, rows := &t.progress, batches[t.progress.Batch]
	b, err := t.train.Batch(rows, t.steps(rows))
	if err != nil {
		return err
	}
	r, err := t.engine.Step(b, t.labels(rows), dropoutSeed(t.config.Seed, p.Epoch, p.Batch))
	if err != nil {
		return err
	}
	if loss := float64(r.Parts[0]); math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("the loss is %v in epoch %d, batch %d; lower the learning rates, or set data.normalise to standard", loss, p.Epoch, p.Batch+1)
	}
	if every := t.config.Train.UpdateEvery; every > 1 && (p.Batch+1)%every == 0 {
		if err := t.engine.Apply(); err != nil {
			return err
		}
	}
	t.ulgm.Step(p.Epoch, rows, r.Features)
	p.Partial.add(rows, r)
	if t.options.Reporter != nil {
		t.options.Reporter.Batch(p.Epoch, p.Batch+1, len(batches), p.Partial.Parts[0]/float64(p.Partial.Batches))
	}
	return nil
}

// labels are y_m and the pseudo-labels of some rows as they stand.
func (t *trainer) labels(rows []int) map[mmiln.Task][]float32 {
	out := map[mmiln.Task][]float32{}
	for _, task := range t.ulgm.Tasks {
		out[task] = make([]float32, len(rows))
		for i, row := range rows {
			out[task][i] = float32(t.ulgm.Labels[task][row])
		}
	}
	return out
}

// dropoutSeed is the finaliser of SplitMix64 over what names a step.
func dropoutSeed(seed uint64, epoch, batch int) uint32 {
	x := seed ^ uint64(epoch)<<32 ^ uint64(batch)
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return uint32((x ^ x>>31) >> 32)
}

// endEpoch settles a partial group of batches, validates, records, selects and saves.
func (t *trainer) endEpoch() error {
	if err := t.settle(); err != nil {
		return err
	}
	valid, err := t.predict(t.valid)
	if err != nil {
		return err
	}
	scores, err := metric.Evaluate(valid.of(mmiln.Multimodal), labelsOf(t.valid))
	if err != nil {
		return fmt.Errorf("validation of epoch %d: %w", t.progress.Epoch, err)
	}
	report := t.choose(scores, validLoss(t.config.fusionLoss(), valid.of(mmiln.Multimodal), labelsOf(t.valid)))
	if err := t.recordEpoch(report, valid); err != nil {
		return err
	}
	p := &t.progress
	p.Done = p.Waited >= t.config.Train.Patience || p.Epoch >= t.config.Train.MaxEpochs
	p.Epoch, p.Batch, p.Partial = p.Epoch+1, 0, partial{}
	if err := t.save(report.Best); err != nil {
		return err
	}
	if t.options.Reporter != nil {
		t.options.Reporter.Epoch(report)
	}
	return nil
}

// settle drops the gradients of a last, shorter group, or steps on them.
func (t *trainer) settle() error {
	every := t.config.Train.UpdateEvery
	if every == 1 || t.progress.Batch%every == 0 {
		return nil
	}
	if t.config.Train.PartialGroup == "step" {
		return t.engine.Apply()
	}
	return t.engine.Forget()
}

// validLoss is the loss of the multimodal head alone, which MMSA stops on.
func validLoss(fusion string, predicted, truth []float32) float64 {
	total := 0.0
	for i := range predicted {
		d := math.Abs(float64(predicted[i]) - float64(truth[i]))
		if fusion == "l2" {
			d *= d
		}
		total += d
	}
	return total / float64(len(predicted))
}

// choose compares the epoch's score with the best so far.
func (t *trainer) choose(scores metric.Scores, loss float64) EpochReport {
	p, c := &t.progress, t.config.Train
	score, sign := loss, 1.0
	if c.Select != "loss" {
		score, _ = scores.Get(c.Select) // the name was validated
		if direction, _ := metric.Better(c.Select); direction == metric.Higher {
			sign = -1
		}
	}
	better := !math.IsNaN(score) && (p.BestEpoch == 0 || sign*score <= sign*p.BestScore-c.Threshold)
	p.Waited++
	if better {
		p.BestEpoch, p.BestScore, p.BestScores, p.Waited = p.Epoch, score, scores, 0
	}
	return EpochReport{
		Epoch: p.Epoch, TrainLoss: p.Partial.Parts[0] / float64(p.Partial.Batches), ValidLoss: loss, Valid: scores, Best: better,
	}
}

// save writes the epoch's checkpoint. Where the epoch is the best, its weights are kept first: a run killed in between does
// the epoch again.
func (t *trainer) save(best bool) error {
	if best {
		state, err := t.capture()
		if err != nil {
			return err
		}
		maps.DeleteFunc(state.Tensors, func(name string, _ safetensors.Tensor) bool { return strings.HasPrefix(name, adamPrefix) })
		if _, err := snapshot.Save(bestDir(t.run.Checkpoints()), fmt.Sprintf("epoch-%04d", t.progress.BestEpoch), state, 1); err != nil {
			return err
		}
	}
	return t.checkpoint()
}

func (t *trainer) checkpoint() error {
	state, err := t.capture()
	if err != nil {
		return err
	}
	if err := t.run.Sync(); err != nil {
		return err
	}
	name := fmt.Sprintf("epoch-%04d-batch-%05d", t.progress.Epoch, t.progress.Batch)
	_, err = snapshot.Save(lastDir(t.run.Checkpoints()), name, state, 2)
	return err
}
