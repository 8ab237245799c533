package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/mmiln/workbench/gomlx_ext/compilecache"
)

func cacheCommand() *cobra.Command {
	var clearIt, asJSON bool
	command := &cobra.Command{
		Use: "cache", Short: "show the compiled programs that are kept, or remove them", Args: cobra.NoArgs,
		Long: `Show the folder in which compiled programs are kept, so that XLA compiles a graph once and not in every process, and what it
holds; or remove them.

` + compilecache.Variable + ` names another folder, or is "off"; ` + compilecache.LimitVariable + ` says how many gigabytes are kept (2), least recently used go first.`,
		Example: "  mmiln cache\n  mmiln cache --clear",
		RunE: func(command *cobra.Command, _ []string) (err error) {
			cache, err := compilecache.Default()
			if err != nil {
				return err
			}
			if cache == nil {
				return fmt.Errorf("no programs are kept: %s is off", compilecache.Variable)
			}
			defer func() { err = errors.Join(err, cache.Close()) }()
			if clearIt {
				return clearCache(command.OutOrStdout(), cache)
			}
			found, err := holdings(cache)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(command.OutOrStdout(), found)
			}
			_, err = fmt.Fprintln(command.OutOrStdout(), found)
			return err
		},
	}
	command.Flags().BoolVar(&clearIt, "clear", false, "remove every program")
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// cached is what a cache holds.
type cached struct {
	Folder   string    `json:"folder"`
	Programs int       `json:"programs"`
	Bytes    int64     `json:"bytes"`
	Limit    int64     `json:"limit_bytes"`
	Oldest   time.Time `json:"used_longest_ago,omitzero"`
}

func holdings(cache *compilecache.Cache) (cached, error) {
	entries, err := cache.Entries()
	found := cached{Folder: cache.Dir(), Programs: len(entries), Limit: cache.Limit()}
	for _, entry := range entries {
		found.Bytes += entry.Size
	}
	if len(entries) > 0 {
		found.Oldest = entries[0].Used
	}
	return found, err
}

func (c cached) String() string {
	text := fmt.Sprintf("%s: %s, %.1f of %.0f MB", c.Folder, programs(c.Programs), float64(c.Bytes)/1e6, float64(c.Limit)/1e6)
	if c.Programs > 0 {
		text += c.Oldest.Format(", used since 2006-01-02 15:04")
	}
	return text
}

func programs(n int) string {
	if n == 1 {
		return "1 program"
	}
	return fmt.Sprintf("%d programs", n)
}

func clearCache(out io.Writer, cache *compilecache.Cache) error {
	found, err := holdings(cache)
	if err != nil {
		return err
	}
	if err := cache.Clear(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "removed %s, %.1f MB, from %s\n", programs(found.Programs), float64(found.Bytes)/1e6, found.Folder)
	return err
}
