// Package data is what comes in. Every format becomes the same thing: a folder of memory-mapped arrays with an index and a
// card, opened as a [Development] set (train and valid) and a [Sealed] test split that tuning, early stopping and
// normalisation cannot reach.
package data

// Modality names one of the three streams of an utterance.
type Modality int

// The three modalities, in the order that every array of this package uses.
const (
	Text Modality = iota
	Audio
	Vision
)

// Modalities lists all of them, for loops.
var Modalities = [3]Modality{Text, Audio, Vision}

// String returns "text", "audio" or "vision", the names of MMSA's files.
func (m Modality) String() string { return [...]string{"text", "audio", "vision"}[m] }

// SplitName names one of the three parts of a data set.
type SplitName string

// The three splits.
const (
	Train SplitName = "train"
	Valid SplitName = "valid"
	Test  SplitName = "test"
)

// Splits lists all of them, for loops.
var Splits = [3]SplitName{Train, Valid, Test}

// Schema is what a model must know of a data set before it sees an example. Indexed by [Modality].
type Schema struct {
	Width  [3]int // features per step; 0 where the modality is absent
	Length [3]int // longest sequence that the arrays hold, in steps, whatever the split
	Tokens int    // longest row of token ids; 0 where there are none
	// Unimodal says which modalities carry a label of their own, on one example at least.
	Unimodal [3]bool
}

// Longest is the number of steps that hold any example's sequences, its token ids among them.
func (s Schema) Longest() [3]int {
	longest := s.Length
	longest[Text] = max(longest[Text], s.Tokens)
	return longest
}

// Info is one example's entry in the index.
type Info struct {
	ID       string
	Words    string     // the transcript; empty where the source has none
	Label    float32    // multimodal sentiment
	Unimodal [3]float32 // NaN where absent
	Lengths  [3]int     // true lengths in steps; 0 where the modality is absent, else at least 1
	Tokens   int        // number of token ids
}

// Sequences is one modality of a batch. Steps at and beyond an example's length are zero.
type Sequences struct {
	Values  []float32 // [B, Steps, Width], row major
	Lengths []int32   // [B]
	Steps   int
	Width   int
}

// Batch holds examples side by side, padded to common lengths.
type Batch struct {
	Rows      []int // index of each example in its split
	Sequences [3]Sequences
	Labels    []float32    // [B]
	Unimodal  [3][]float32 // [B] each; NaN where absent
	// Tokens are word-piece ids, which share the steps of text: [B, Sequences[Text].Steps], zero from TokenLengths [B] on.
	// Nil where the set has none.
	Tokens, TokenLengths []int32
}

// Examples is what prediction and evaluation read. [Split] is one; a test split becomes one only when its seal is broken.
type Examples interface {
	Len() int
	Info(i int) Info
	// Batch gathers rows, padded to steps[m] for each modality (0 means the longest true length among the rows, at least 1).
	// Steps that are too few for a row are an error; nothing is ever cut off.
	Batch(rows []int, steps [3]int) (*Batch, error)
}
