package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/data"
	"github.com/mmiln/workbench/data/mmsa"
	"github.com/mmiln/workbench/data/planted"
	"github.com/mmiln/workbench/data/table"
)

func dataCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "data",
		Short: "import, generate, describe and verify data sets",
		Example: `  mmiln data planted --out .data/planted
  mmiln data import aligned_50.pkl --out .data/mosi
  mmiln data describe .data/mosi`,
		Args: cobra.NoArgs, // else an unknown subcommand would print the help and succeed
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(importCommand(), plantedCommand(), describeCommand(), verifyCommand())
	return command
}

// destination are the flags of commands that write a data set.
type destination struct {
	out   string
	force bool
}

func (d *destination) flags(command *cobra.Command) {
	command.Flags().StringVar(&d.out, "out", "", "folder to write")
	command.Flags().BoolVar(&d.force, "force", false, "replace the data set that is there")
	_ = command.MarkFlagRequired("out") // the flag exists
}

// write makes the data set beside its place where one is to be replaced, so that an error leaves the old one.
func (d *destination) write(command *cobra.Command, make func(dir string) (data.Card, error)) error {
	card, err := d.place(make)
	if err != nil {
		return err
	}
	card.Print(command.OutOrStdout())
	fmt.Fprintf(command.OutOrStdout(), "\nwritten to %s\n", d.out)
	return nil
}

func (d *destination) place(make func(dir string) (data.Card, error)) (data.Card, error) {
	if _, err := os.Stat(d.out); errors.Is(err, os.ErrNotExist) || !d.force {
		return make(d.out)
	}
	if _, err := os.Stat(filepath.Join(d.out, "card.json")); err != nil {
		return data.Card{}, fmt.Errorf("--force replaces data sets only, and %s is none: it has no card.json", d.out)
	}
	fresh := d.out + ".fresh"
	card, err := make(fresh)
	if err != nil {
		return card, err
	}
	if err := os.RemoveAll(d.out); err != nil {
		return card, err
	}
	return card, os.Rename(fresh, d.out)
}

func importCommand() *cobra.Command {
	var to destination
	var arrays [3]string
	var limit float32
	var columns table.Options
	command := &cobra.Command{
		Use:   "import FILE --out DIR",
		Short: "convert an MMSA pickle, or a CSV file with .npy arrays",
		Long: `Convert a data set once into the folder that training reads. FILE is an MMSA feature pickle (.pkl), read without
executing anything in it, or a CSV file whose features lie in .npy arrays, one row a line.`,
		Example: `  mmiln data import unaligned_50.pkl --out .data/mosi
  mmiln data import mosi_2199.csv --audio mosi_2199_audio73.npy --split-column std_fold \
      --out .data/mosi2199`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return to.write(command, func(dir string) (data.Card, error) {
				if strings.EqualFold(filepath.Ext(args[0]), ".csv") {
					columns.Limit = limit
					return table.Import(args[0], arrays, dir, columns)
				}
				return mmsa.Import(args[0], dir, mmsa.Options{Limit: limit})
			})
		},
	}
	to.flags(command)
	flags := command.Flags()
	flags.Float32Var(&limit, "limit", 3, "labels lie in [-limit, limit]: 3 for MOSI and MOSEI, 1 for SIMS")
	flags.StringVar(&arrays[data.Text], "text", "", "with CSV: array of text features")
	flags.StringVar(&arrays[data.Audio], "audio", "", "with CSV: array of audio features")
	flags.StringVar(&arrays[data.Vision], "vision", "", "with CSV: array of vision features")
	flags.StringVar(&columns.ID, "id-column", "id", "with CSV: column of ids")
	flags.StringVar(&columns.Label, "label-column", "label", "with CSV: column of labels")
	flags.StringVar(&columns.Split, "split-column", "split", "with CSV: column of splits")
	flags.StringVar(&columns.Words, "words-column", "text", "with CSV: column of transcripts")
	return command
}

func plantedCommand() *cobra.Command {
	var to destination
	var size string
	var seed uint64
	command := &cobra.Command{
		Use:   "planted --out DIR",
		Short: "generate the planted data set, whose unimodal truths are known",
		Example: `  mmiln data planted --out .data/planted
  mmiln data planted --size mosei --seed 2 --out .data/planted-mosei`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			sizes := map[string]planted.Config{"demo": planted.Demo(), "mosi": planted.MOSI(), "mosei": planted.MOSEI()}
			c, ok := sizes[size]
			if !ok {
				return fmt.Errorf("--size is %q; use demo, mosi or mosei", size)
			}
			c.Seed = seed
			return to.write(command, c.Save)
		},
	}
	to.flags(command)
	command.Flags().StringVar(&size, "size", "mosi", "demo, mosi or mosei: how many examples, how long")
	command.Flags().Uint64Var(&seed, "seed", 1, "another seed is another set")
	return command
}

func describeCommand() *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use: "describe DIR", Short: "print a data set's card", Args: cobra.ExactArgs(1), Example: `  mmiln data describe .data/planted`,
		RunE: func(command *cobra.Command, args []string) error {
			development, _, err := data.Open(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(command.OutOrStdout()).Encode(development.Card())
			}
			development.Card().Print(command.OutOrStdout())
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

func verifyCommand() *cobra.Command {
	return &cobra.Command{
		Use: "verify DIR", Short: "compare every byte of a data set with its card", Args: cobra.ExactArgs(1),
		Example: `  mmiln data verify .data/planted`,
		RunE: func(command *cobra.Command, args []string) error {
			if err := data.Verify(args[0]); err != nil {
				return err
			}
			fmt.Fprintf(command.OutOrStdout(), "%s is what was imported\n", args[0])
			return nil
		},
	}
}
