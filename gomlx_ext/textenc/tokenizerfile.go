package textenc

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	tokenizerFile  = "tokenizer.json"
	settingsFile   = "tokenizer_config.json"
	vocabularyFile = "vocab.txt"
	maxTokenizer   = 64 << 20 // bytes
	longestWord    = 1000     // in characters, of any model: the time for a word grows with its square
)

// openTokenizer reads tokenizer.json, or vocab.txt where there is none.
func openTokenizer(dir string) (*tokenizer, error) {
	content, err := readBounded(filepath.Join(dir, tokenizerFile), maxTokenizer)
	if errors.Is(err, fs.ErrNotExist) {
		return openVocabulary(dir)
	}
	if err != nil {
		return nil, err
	}
	t, err := parseTokenizer(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", tokenizerFile, err)
	}
	t.files = []string{tokenizerFile}
	return t, nil
}

// openVocabulary reads vocab.txt, and what tokenizer_config.json says of it.
func openVocabulary(dir string) (*tokenizer, error) {
	content, err := readBounded(filepath.Join(dir, vocabularyFile), maxTokenizer)
	if err != nil {
		return nil, err
	}
	files := []string{vocabularyFile}
	settings, err := readBounded(filepath.Join(dir, settingsFile), maxConfig)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		settings = []byte("{}")
	case err != nil:
		return nil, err
	default:
		files = append(files, settingsFile)
	}
	t, err := parseVocabulary(content, settings)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", strings.Join(files, " and "), err)
	}
	t.files = files
	return t, nil
}

// parseVocabulary makes the tokenizer that transformers makes of a vocab.txt: one piece a line, its id the line's number.
func parseVocabulary(content, settings []byte) (*tokenizer, error) {
	s := struct {
		Lower   bool   `json:"do_lower_case"`
		Chinese bool   `json:"tokenize_chinese_chars"`
		Accents *bool  `json:"strip_accents"`
		Unknown string `json:"unk_token"`
		CLS     string `json:"cls_token"`
		SEP     string `json:"sep_token"`
		Pad     string `json:"pad_token"`
		Mask    string `json:"mask_token"`
	}{Lower: true, Chinese: true, Unknown: "[UNK]", CLS: "[CLS]", SEP: "[SEP]", Pad: "[PAD]", Mask: "[MASK]"}
	if err := json.Unmarshal(settings, &s); err != nil {
		return nil, fmt.Errorf("%s: %w", settingsFile, err)
	}
	t := &tokenizer{ids: map[string]int32{}, prefix: "##", longestWord: 100,
		normalizer: normalizer{true, s.Chinese, s.Lower, s.Lower}}
	if s.Accents != nil {
		t.normalizer.accents = *s.Accents
	}
	if !utf8.Valid(content) {
		return nil, fmt.Errorf("%s is not UTF-8", vocabularyFile)
	}
	for i, piece := range strings.Split(strings.TrimSuffix(string(content), "\n"), "\n") {
		t.ids[strings.TrimSuffix(piece, "\r")] = int32(i)
	}
	for _, special := range []string{s.Unknown, s.CLS, s.SEP, s.Pad, s.Mask} {
		if id, found := t.ids[special]; found && special != "" {
			t.raw = append(t.raw, added{special, id})
		}
	}
	return t, t.finish(s.Unknown, s.CLS, s.SEP)
}

// finish looks the special tokens up and sorts what was added.
func (t *tokenizer) finish(unknown, cls, sep string) error {
	for _, special := range []struct {
		content string
		id      *int32
	}{{unknown, &t.unknown}, {cls, &t.cls}, {sep, &t.sep}} {
		id, found := t.lookup(special.content)
		if !found {
			return fmt.Errorf("the vocabulary lacks %q: it is not a BERT's", special.content)
		}
		*special.id = id
	}
	for _, tokens := range [][]added{t.raw, t.normalized} {
		slices.SortStableFunc(tokens, func(a, b added) int { return cmp.Compare(len(b.content), len(a.content)) })
	}
	return nil
}

// lookup is the id of a token, added or of the vocabulary.
func (t *tokenizer) lookup(content string) (int32, bool) {
	for _, token := range t.raw {
		if token.content == content {
			return token.id, true
		}
	}
	id, found := t.ids[content]
	return id, found
}

// description is tokenizer.json, as far as BERT's tokenizer depends on it.
type description struct {
	Added []struct {
		ID         int64
		Content    string
		SingleWord bool `json:"single_word"`
		Normalized bool
	} `json:"added_tokens"`
	Normalizer struct {
		Type      string
		Clean     bool  `json:"clean_text"`
		Chinese   bool  `json:"handle_chinese_chars"`
		Accents   *bool `json:"strip_accents"`
		Lowercase bool
	}
	PreTokenizer struct{ Type string } `json:"pre_tokenizer"`
	Post         struct {
		Type   string
		Single []struct {
			Special  *struct{ ID string } `json:"SpecialToken"`
			Sequence *struct{ ID string }
		}
		CLS, SEP []any
	} `json:"post_processor"`
	Model struct {
		Type        string
		Unknown     string           `json:"unk_token"`
		Prefix      string           `json:"continuing_subword_prefix"`
		LongestWord int              `json:"max_input_chars_per_word"`
		Vocabulary  map[string]int64 `json:"vocab"`
	}
}

// parseTokenizer reads the content of a tokenizer.json. It refuses what is not BERT's tokenizer.
func parseTokenizer(content []byte) (*tokenizer, error) {
	d := description{}
	d.Model.Prefix, d.Model.LongestWord = "##", 100
	if err := json.Unmarshal(content, &d); err != nil {
		return nil, fmt.Errorf("not the description of a tokenizer: %w", err)
	}
	for _, part := range [][3]string{{"model", d.Model.Type, "WordPiece"}, {"normalizer", d.Normalizer.Type, "BertNormalizer"},
		{"pre_tokenizer", d.PreTokenizer.Type, "BertPreTokenizer"}} {
		if part[1] != part[2] {
			return nil, fmt.Errorf("the %s is %q; a BERT's is %s", part[0], part[1], part[2])
		}
	}
	if d.Model.LongestWord < 1 || d.Model.LongestWord > longestWord {
		return nil, fmt.Errorf("max_input_chars_per_word is %d; it must be from 1 to %d", d.Model.LongestWord, longestWord)
	}
	cls, sep, err := d.around()
	if err != nil {
		return nil, err
	}
	n := d.Normalizer
	t := &tokenizer{prefix: d.Model.Prefix, longestWord: d.Model.LongestWord,
		normalizer: normalizer{n.Clean, n.Chinese, n.Lowercase, n.Lowercase}}
	if n.Accents != nil {
		t.normalizer.accents = *n.Accents
	}
	if err := t.fill(d); err != nil {
		return nil, err
	}
	return t, t.finish(d.Model.Unknown, cls, sep)
}

// around are the tokens that the post-processor puts before and after a text.
func (d description) around() (cls, sep string, err error) {
	p := d.Post
	switch {
	case p.Type == "TemplateProcessing" && len(p.Single) == 3 && p.Single[0].Special != nil && p.Single[1].Sequence != nil && p.Single[2].Special != nil:
		return p.Single[0].Special.ID, p.Single[2].Special.ID, nil
	case p.Type == "BertProcessing" && len(p.CLS) == 2 && len(p.SEP) == 2:
		cls, isText := p.CLS[0].(string)
		sep, isText2 := p.SEP[0].(string)
		if isText && isText2 {
			return cls, sep, nil
		}
	}
	return "", "", fmt.Errorf("the post_processor %q does not put [CLS] before and [SEP] after a text, as a BERT's does", p.Type)
}

// fill takes the vocabulary over.
func (t *tokenizer) fill(d description) error {
	t.ids = make(map[string]int32, len(d.Model.Vocabulary))
	for piece, id := range d.Model.Vocabulary {
		if id < 0 || id > math.MaxInt32 {
			return fmt.Errorf("%q has the id %d", piece, id)
		}
		t.ids[piece] = int32(id)
	}
	for _, token := range d.Added {
		if token.ID < 0 || token.ID > math.MaxInt32 || token.Content == "" {
			return fmt.Errorf("the added token %q has the id %d", token.Content, token.ID)
		}
		if token.SingleWord {
			return fmt.Errorf("the added token %q is to be found as a single word, which is not supported", token.Content)
		}
		if !token.Normalized {
			t.raw = append(t.raw, added{token.Content, int32(token.ID)})
		} else if content := t.normalizer.apply(token.Content); content != "" {
			t.normalized = append(t.normalized, added{content, int32(token.ID)})
		}
	}
	return nil
}
