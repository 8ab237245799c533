package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/mmiln/experiment/casestudy"
)

func casestudyCommand() *cobra.Command {
	var w where
	var runs, ids, words []string
	var dir string
	var own casestudy.Query
	command := &cobra.Command{
		Use:   "casestudy --run RUN [--run RUN]... [--id ID]... [--text WORDS]...",
		Short: "look at single utterances through several models, as Table 4 of the paper does",
		Long: `Show what trained models make of single utterances: predictions, also from one modality alone, pseudo-labels (of training
examples, in brackets), gates and attention. Utterances are named by id or by their words, whatever case and
punctuation, or given as a sentence of your own; without any, those of Table 4 are looked up. A test split is opened where an utterance is in neither of the
other splits, and the opening is on record. --json has attention in full.`,
		Example: `  mmiln casestudy --run runs/mmiln-mosi-s1111-20261124-231500 --run runs/selfmm-mosi-s1111-20261124-231800
  mmiln casestudy --run runs/demo-demo-s1111-20261124-231500 --id train-00000 --id test-00003
  mmiln casestudy --run runs/mmiln-mosi-s1111-20261124-231500 --text "It was really good." --json > case.json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if own.Sentence == "" && (own.Audio != "" || own.Vision != "") {
				return errors.New("--audio and --vision are features of --sentence; write the sentence too")
			}
			queries := queriesOf(ids, words, own)
			backend, _, err := w.open(command)
			if err != nil {
				return err
			}
			r, err := casestudy.Study(runs, queries, casestudy.Options{Backend: backend, Data: dir, Reason: command.CommandPath()})
			if err != nil {
				return err
			}
			if w.json {
				return json.NewEncoder(command.OutOrStdout()).Encode(r) // on one line: attention is many numbers
			}
			if err := r.Print(command.OutOrStdout()); err != nil {
				return err
			}
			if r.Found() == 0 {
				fmt.Fprintln(command.OutOrStdout(), "\nnone was found; name utterances of this data with --id or --text")
			}
			return nil
		},
	}
	w.flags(command)
	flags := command.Flags()
	flags.StringArrayVar(&runs, "run", nil, "run folder; repeatable")
	flags.StringArrayVar(&ids, "id", nil, "id of an example; repeatable")
	flags.StringArrayVar(&words, "text", nil, "words of an example; repeatable")
	flags.StringVar(&own.Sentence, "sentence", "", "a sentence of your own, for models that read sentences ([text] mode frozen or finetune)")
	flags.StringVar(&own.Audio, "audio", "", "with --sentence: .npy of its audio features, [T, d]")
	flags.StringVar(&own.Vision, "vision", "", "with --sentence: .npy of its vision features")
	flags.StringVar(&dir, "data", "", "data set to look in, instead of the one that each run was trained on")
	_ = command.MarkFlagRequired("run") // the flag exists
	return command
}

func queriesOf(ids, words []string, own casestudy.Query) (queries []casestudy.Query) {
	for _, id := range ids {
		queries = append(queries, casestudy.Query{ID: id})
	}
	for _, text := range words {
		queries = append(queries, casestudy.Query{Words: text})
	}
	if own.Sentence != "" {
		queries = append(queries, own)
	}
	if len(queries) == 0 {
		return casestudy.Table4()
	}
	return queries
}
