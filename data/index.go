package data

import (
	"math"
	"strconv"
)

// Names of the files in a data set's folder.
const (
	cardFile  = "card.json"
	indexFile = "index.csv"
)

// arrayFile is the name of the array of one modality of one split.
func arrayFile(split SplitName, m Modality) string { return string(split) + "." + m.String() + ".npy" }

// tokenFile is the name of the token ids of one split.
func tokenFile(split SplitName) string { return string(split) + ".tokens.npy" }

// columns of the index, in the order of record.
var columns = []string{
	"split", "row", "id", "label", "label_text", "label_audio", "label_vision",
	"len_text", "len_audio", "len_vision", "len_tokens", "words",
}

// record is one row of the index. Labels are as short as they can be without losing a bit.
func record(split SplitName, row int, e Info) []string {
	fields := []string{string(split), strconv.Itoa(row), e.ID, formatLabel(e.Label)}
	for _, label := range e.Unimodal {
		fields = append(fields, formatLabel(label))
	}
	for _, n := range e.Lengths {
		fields = append(fields, strconv.Itoa(n))
	}
	return append(fields, strconv.Itoa(e.Tokens), e.Words)
}

// formatLabel leaves a field empty for an absent label.
func formatLabel(label float32) string {
	if math.IsNaN(float64(label)) {
		return ""
	}
	return strconv.FormatFloat(float64(label), 'g', -1, 32)
}
