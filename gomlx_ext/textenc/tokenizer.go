package textenc

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// tokenizer is BERT's: cleaning, words, word pieces. It follows the tokenizers library, which transformers uses.
type tokenizer struct {
	ids             map[string]int32
	prefix          string // of pieces that continue a word: ##
	unknown         int32
	cls, sep        int32
	longestWord     int // in characters; longer ones are unknown
	normalizer      normalizer
	raw, normalized []added
	files           []string // that it was read from
}

// added is a token that is found in the text before words are, such as [SEP].
type added struct {
	content string
	id      int32
}

// Tokens are the word pieces of texts, [CLS] first and [SEP] last.
type Tokens struct{ IDs [][]int32 }

// Lengths are the texts' numbers of word pieces.
func (t Tokens) Lengths() []int32 {
	out := make([]int32, len(t.IDs))
	for i, ids := range t.IDs {
		out[i] = int32(len(ids))
	}
	return out
}

// Longest is the number of word pieces of the longest text.
func (t Tokens) Longest() int {
	longest := 0
	for _, ids := range t.IDs {
		longest = max(longest, len(ids))
	}
	return longest
}

// Tokenize cuts texts into word pieces, at most maxLen with [CLS] and [SEP]; what is beyond is left out. A maxLen of 0 is the
// most that the model takes.
func (e *Encoder) Tokenize(texts []string, maxLen int) (Tokens, error) {
	if maxLen == 0 {
		maxLen = e.config.Positions
	}
	if maxLen < 2 || maxLen > e.config.Positions {
		return Tokens{}, fmt.Errorf("textenc: at most %d word pieces are asked for; the model takes 2 to %d", maxLen, e.config.Positions)
	}
	out := Tokens{IDs: make([][]int32, len(texts))}
	for i, text := range texts {
		pieces := e.tokenizer.pieces(text)
		pieces = pieces[:min(len(pieces), maxLen-2)]
		out.IDs[i] = append(append([]int32{e.tokenizer.cls}, pieces...), e.tokenizer.sep)
	}
	return out, nil
}

// pieces are the ids of a text, without [CLS] and [SEP].
func (t *tokenizer) pieces(text string) []int32 {
	var out []int32
	splitAt(text, t.raw, func(part string, token *added) {
		if token != nil {
			out = append(out, token.id)
			return
		}
		splitAt(t.normalizer.apply(part), t.normalized, func(part string, token *added) {
			if token != nil {
				out = append(out, token.id)
				return
			}
			out = t.appendWords(out, part)
		})
	})
	return out
}

// splitAt visits the added tokens in text and what is between them, in order. Where several tokens begin at one place, the first
// of the list is taken: tokens are sorted, longest first.
func splitAt(text string, tokens []added, visit func(part string, token *added)) {
	for text != "" {
		at, found := len(text), (*added)(nil)
		for i, token := range tokens {
			if here := strings.Index(text[:min(len(text), at+len(token.content))], token.content); here >= 0 && here < at {
				at, found = here, &tokens[i]
			}
		}
		if at > 0 {
			visit(text[:at], nil)
		}
		if found == nil {
			return
		}
		visit("", found)
		text = text[at+len(found.content):]
	}
}

// appendWords cuts a normalised text at white space and around each punctuation mark.
func (t *tokenizer) appendWords(out []int32, text string) []int32 {
	start := 0
	for at, r := range text {
		space := isSpace(r)
		if !space && !isPunctuation(r) {
			continue
		}
		out = t.appendWord(out, text[start:at])
		start = at + utf8.RuneLen(r)
		if !space {
			out = t.appendWord(out, text[at:start])
		}
	}
	return t.appendWord(out, text[start:])
}

// appendWord cuts a word into the longest pieces of the vocabulary, from left to right; if that fails, all of it is unknown.
func (t *tokenizer) appendWord(out []int32, word string) []int32 {
	if word == "" {
		return out
	}
	if utf8.RuneCountInString(word) > t.longestWord {
		return append(out, t.unknown)
	}
	known, rest, prefix := len(out), word, ""
	for rest != "" {
		id, size := t.longestPiece(prefix, rest)
		if size == 0 {
			return append(out[:known], t.unknown)
		}
		out, rest, prefix = append(out, id), rest[size:], t.prefix
	}
	return out
}

// longestPiece is the longest piece that text begins with, and its size in bytes, 0 if there is none.
func (t *tokenizer) longestPiece(prefix, text string) (id int32, size int) {
	whole := prefix + text
	for end := len(whole); end > len(prefix); {
		if id, found := t.ids[whole[:end]]; found {
			return id, end - len(prefix)
		}
		_, last := utf8.DecodeLastRuneInString(whole[:end])
		end -= last
	}
	return 0, 0
}

// largest is the largest id.
func (t *tokenizer) largest() int {
	top := int32(0)
	for _, id := range t.ids {
		top = max(top, id)
	}
	for _, token := range append(t.raw, t.normalized...) {
		top = max(top, token.id)
	}
	return int(top)
}
