package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/mmiln/experiment"
)

func configCommand() *cobra.Command {
	var settings []string
	var resolved bool
	command := &cobra.Command{
		Use:   "config [CONFIG]",
		Short: "list the shipped configurations, or print one",
		Example: `  mmiln config
  mmiln config planted > my.toml
  mmiln config planted --resolved --set mmiln.layers=2     # every key there is`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			out := command.OutOrStdout()
			if len(args) == 0 {
				_, err := fmt.Fprintln(out, strings.Join(experiment.Shipped(), "\n"))
				return err
			}
			if !resolved && len(settings) == 0 {
				text, err := experiment.Source(args[0])
				if err != nil {
					return err
				}
				_, err = out.Write(text)
				return err
			}
			c, err := experiment.Load(args[0], settings...)
			if err != nil {
				return err
			}
			text, err := c.TOML()
			if err != nil {
				return err
			}
			_, err = out.Write(text)
			return err
		},
	}
	command.Flags().StringArrayVar(&settings, "set", nil, "override a key; repeatable")
	command.Flags().BoolVar(&resolved, "resolved", false, "print every key, defaults included")
	return command
}
