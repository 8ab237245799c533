package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/mmiln/experiment"
	"github.com/mmiln/workbench/mmiln/experiment/record"
)

// few sentences are read by pure Go before XLA has compiled the model.
const few = 32

// sentences are what `predict` reads instead of a data set.
type sentences struct {
	texts         []string
	lines         string // a file, or "-"
	audio, vision string
}

func (s *sentences) flags(command *cobra.Command) {
	flags := command.Flags()
	flags.StringArrayVar(&s.texts, "text", nil, "a sentence, instead of a data set; may be repeated")
	flags.StringVar(&s.lines, "lines", "", "a file of sentences, one a line; - is standard input")
	flags.StringVar(&s.audio, "audio", "", "with sentences: .npy of audio features, [T, d] of one or [N, T, d] of all")
	flags.StringVar(&s.vision, "vision", "", "with sentences: .npy of vision features")
	command.MarkFlagsMutuallyExclusive("text", "lines", "data")
}

func (s *sentences) given() bool { return len(s.texts) > 0 || s.lines != "" }

// read returns the sentences.
func (s *sentences) read(command *cobra.Command) ([]string, error) {
	if s.lines == "" {
		return s.texts, nil
	}
	in := command.InOrStdin()
	if s.lines != "-" {
		file, err := os.Open(s.lines)
		if err != nil {
			return nil, err
		}
		defer file.Close() // nothing was written
		in = file
	}
	return readLines(in, s.lines)
}

// readLines passes over lines that are blank.
func readLines(in io.Reader, name string) (lines []string, err error) {
	const longest = 1 << 20
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, longest)
	for scanner.Scan() {
		if line := strings.TrimSpace(scanner.Text()); line != "" {
			lines = append(lines, line)
		}
	}
	if errors.Is(scanner.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("%s: a line has more than %d bytes; write one sentence a line", name, longest)
	}
	if err := scanner.Err(); err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s holds no sentence", name)
	}
	return lines, nil
}

// fit takes pure Go for few sentences where the user has named no backend.
func (w *where) fit(command *cobra.Command, sentences int) {
	if sentences <= few && !command.Flags().Changed("backend") && os.Getenv(compute.ConfigEnvVar) == "" {
		w.backend = "go"
	}
}

// predict says on standard error what the model must do without.
func (s *sentences) predict(command *cobra.Command, t *target) error {
	words, err := s.read(command)
	if err != nil {
		return err
	}
	t.fit(command, len(words))
	backend, _, err := t.open(command)
	if err != nil {
		return err
	}
	p, err := experiment.OpenPredictor(t.run, backend)
	if err != nil {
		return err
	}
	u, err := p.Utterances(words)
	if err != nil {
		return fmt.Errorf("%s: %w", t.run, err)
	}
	for m, path := range map[data.Modality]string{data.Audio: s.audio, data.Vision: s.vision} {
		if path == "" {
			continue
		}
		if err := u.Read(m, path); err != nil {
			return err
		}
	}
	for _, m := range u.Missing() {
		fmt.Fprintf(command.ErrOrStderr(), "no %s is given: it is masked (the model was trained with it)\n", m)
	}
	rows, err := p.Predict(u)
	if err != nil {
		return err
	}
	return printSentences(command.OutOrStdout(), t.json, words, rows)
}

// spoken is the prediction for a sentence.
type spoken struct {
	Text       string             `json:"text"`
	Prediction float32            `json:"prediction"`
	Tasks      map[string]float32 `json:"tasks"`
}

func printSentences(out io.Writer, asJSON bool, words []string, rows []record.Prediction) error {
	if asJSON {
		all := make([]spoken, len(rows))
		for i, row := range rows {
			all[i] = spoken{words[i], row.Value, row.Tasks}
		}
		return printJSON(out, all)
	}
	w := csv.NewWriter(out)
	tasks := slices.Sorted(maps.Keys(rows[0].Tasks))
	_ = w.Write(append([]string{"prediction"}, append(tasks, "sentence")...)) // errors stay until Flush
	for i, row := range rows {
		cells := []string{number(row.Value)}
		for _, task := range tasks {
			cells = append(cells, number(row.Tasks[task]))
		}
		_ = w.Write(append(cells, words[i]))
	}
	w.Flush()
	return w.Error()
}
