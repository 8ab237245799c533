package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
)

// Version of the format on disk.
const Version = 1

// Card describes a data set: where it comes from, what it holds and what it must hash to. It is stored as card.json.
type Card struct {
	Name       string                  `json:"name"` // of the folder
	Version    int                     `json:"format_version"`
	Source     Source                  `json:"source"`
	Splits     map[SplitName]SplitCard `json:"splits"`
	Exclusions []Exclusion             `json:"exclusions,omitempty"`
	Files      map[string]string       `json:"sha256"` // of the index and of every array, by file name
}

// Source says where a data set comes from.
type Source struct {
	Format string  `json:"format"`          // "mmsa", "table", "planted", …
	Files  []File  `json:"files,omitempty"` // that were read
	Note   string  `json:"note,omitempty"`  // whatever else a reader should know
	Width  [3]int  `json:"width"`           // features per step of each modality; 0 where it is absent
	Tokens bool    `json:"tokens"`          // whether examples have word-piece ids
	Limit  float32 `json:"limit"`           // labels lie in [-Limit, Limit]; 0 stands for 3
}

// File is a file that was read, and its SHA-256 in hexadecimal.
type File struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// HashFile reads a file once and names it with its SHA-256.
func HashFile(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil {
		return File{}, err
	}
	defer f.Close()
	hash := sha256.New()
	_, err = io.Copy(hash, f)
	return File{path, hex.EncodeToString(hash.Sum(nil))}, err
}

// Exclusion is an example that the source has and the data set has not.
type Exclusion struct {
	Split  SplitName `json:"split,omitempty"`
	ID     string    `json:"id"`
	Reason string    `json:"reason"`
}

// SplitCard describes one split.
type SplitCard struct {
	Examples   int             `json:"examples"`
	Labels     LabelCard       `json:"labels"`
	Modalities [3]ModalityCard `json:"modalities"`
	Tokens     LengthCard      `json:"tokens"`
}

// LabelCard describes multimodal labels.
type LabelCard struct {
	Mean float64 `json:"mean"`
	Std  float64 `json:"std"` // of the population: divided by n
	// Histogram counts labels rounded half to even: -3 (and below), -2, …, 3 (and above).
	Histogram [7]int `json:"histogram"`
}

// ModalityCard describes one modality of one split.
type ModalityCard struct {
	Modality  string     `json:"modality"`
	Width     int        `json:"width"`
	Lengths   LengthCard `json:"lengths"`
	Empty     int        `json:"empty"`      // examples that had no step and were given one of zeros
	NonFinite int        `json:"non_finite"` // values that were NaN or infinite and became 0
}

// LengthCard describes lengths in steps. Median and P90 are the lengths at ranks ⌈n/2⌉ and ⌈0.9 n⌉.
type LengthCard struct {
	Min    int     `json:"min"`
	Median int     `json:"median"`
	Mean   float64 `json:"mean"`
	P90    int     `json:"p90"`
	Max    int     `json:"max"`
}

// SHA256 identifies the data set: a hash over the names and hashes of the index and of every array.
func (c Card) SHA256() string {
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(c.Files)) {
		fmt.Fprintf(hash, "%s  %s\n", c.Files[name], name)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

func labelCard(labels []float32) (c LabelCard) {
	n := float64(len(labels))
	for _, label := range labels {
		c.Mean += float64(label) / n
		c.Histogram[int(math.RoundToEven(float64(min(max(label, -3), 3))))+3]++
	}
	for _, label := range labels {
		c.Std += (float64(label) - c.Mean) * (float64(label) - c.Mean) / n
	}
	c.Std = math.Sqrt(c.Std)
	return c
}

// lengthCard sorts lengths.
func lengthCard(lengths []int) LengthCard {
	if len(lengths) == 0 {
		return LengthCard{}
	}
	slices.Sort(lengths)
	n, sum := len(lengths), 0
	for _, length := range lengths {
		sum += length
	}
	return LengthCard{
		Min: lengths[0], Median: lengths[(n+1)/2-1], Mean: float64(sum) / float64(n), P90: lengths[(9*n+9)/10-1], Max: lengths[n-1],
	}
}

// files lists the index and the arrays that a set described by c consists of.
func (c Card) files() []string {
	names := []string{indexFile}
	for _, split := range Splits {
		for _, array := range c.Source.layouts(split) {
			if array.file != "" {
				names = append(names, array.file)
			}
		}
	}
	return names
}
