package data

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Print describes the data set for people, in at most 80 columns.
func (c Card) Print(w io.Writer) {
	printField(w, "name", c.Name)
	printField(w, "sha256", c.SHA256())
	printField(w, "format", fmt.Sprintf("version %d, from %s", c.Version, c.Source.Format))
	for _, file := range c.Source.Files {
		printField(w, "source", fmt.Sprintf("%s (sha256 %.12s…)", file.Path, file.SHA256))
	}
	if c.Source.Note != "" {
		printField(w, "note", c.Source.Note)
	}
	c.printLabels(w)
	c.printLengths(w)
	c.printExclusions(w)
}

func (c Card) printLabels(w io.Writer) {
	fmt.Fprintf(w, "\n%-8s%9s%8s%7s  ", "labels", "examples", "mean", "std")
	for label := -3; label <= 3; label++ {
		fmt.Fprintf(w, "%6d", label)
	}
	for _, name := range Splits {
		split := c.Splits[name]
		fmt.Fprintf(w, "\n%-8s%9d%8.3f%7.3f  ", name, split.Examples, split.Labels.Mean, split.Labels.Std)
		for _, n := range split.Labels.Histogram {
			fmt.Fprintf(w, "%6d", n)
		}
	}
	fmt.Fprintln(w)
}

func (c Card) printLengths(w io.Writer) {
	fmt.Fprintf(w, "\n%-8s%-8s%7s%7s%8s%9s%7s%7s%7s%12s\n", "steps", "", "width", "min", "median", "mean", "p90", "max", "empty", "not finite")
	row := func(split SplitName, name string, width any, l LengthCard) {
		fmt.Fprintf(w, "%-8s%-8s%7v%7d%8d%9.1f%7d%7d", split, name, width, l.Min, l.Median, l.Mean, l.P90, l.Max)
	}
	for _, name := range Splits {
		split := c.Splits[name]
		for _, m := range split.Modalities {
			if m.Width == 0 {
				fmt.Fprintf(w, "%-8s%-8s%7s\n", name, m.Modality, "absent")
				continue
			}
			row(name, m.Modality, m.Width, m.Lengths)
			fmt.Fprintf(w, "%7d%12d\n", m.Empty, m.NonFinite)
		}
		if c.Source.Tokens {
			row(name, "tokens", "", split.Tokens)
			fmt.Fprintln(w)
		}
	}
}

// printExclusions groups them by reason.
func (c Card) printExclusions(w io.Writer) {
	ids := map[string][]string{}
	var reasons []string
	for _, x := range c.Exclusions {
		if ids[x.Reason] == nil {
			reasons = append(reasons, x.Reason)
		}
		ids[x.Reason] = append(ids[x.Reason], x.ID)
	}
	slices.SortStableFunc(reasons, func(a, b string) int { return cmp.Compare(len(ids[b]), len(ids[a])) })
	for _, reason := range reasons {
		some := ids[reason]
		fmt.Fprintln(w)
		printField(w, "excluded", fmt.Sprintf("%d: %s: %s", len(some), reason, strings.Join(some[:min(len(some), 5)], ", ")))
	}
}

func printField(w io.Writer, name, text string) {
	for _, line := range wrap(text, 69) {
		fmt.Fprintf(w, "%-10s%s\n", name, line)
		name = ""
	}
}

// wrap breaks text at spaces, and words that are longer than a line anywhere.
func wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if lines[last] != "" && utf8.RuneCountInString(lines[last]+" "+word) <= width {
			lines[last] += " " + word
			continue
		}
		for part := range slices.Chunk([]rune(word), width) {
			lines = append(lines, string(part))
		}
	}
	return lines[min(1, len(lines)-1):]
}
