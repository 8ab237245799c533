package textenc

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalizer is the tokenizers library's BertNormalizer.
type normalizer struct{ clean, chinese, accents, lower bool } // accents: strip them

func (n normalizer) apply(text string) string {
	if n.clean || n.chinese {
		text = n.cleaned(text)
	}
	if n.accents {
		text = strings.Map(func(r rune) rune {
			if unicode.Is(marks, r) {
				return -1
			}
			return r
		}, norm.NFD.String(text))
	}
	if n.lower {
		text = strings.ReplaceAll(text, "İ", "i̇") // the one letter whose lower case is two characters
		text = strings.Map(unicode.ToLower, text)
	}
	return text
}

// cleaned leaves control characters out, makes every white space a blank, and puts blanks around Chinese characters.
func (n normalizer) cleaned(text string) string {
	var out strings.Builder
	out.Grow(len(text))
	for _, r := range text {
		switch {
		case n.clean && (isControl(r) || r == unicode.ReplacementChar):
		case n.clean && isSpace(r):
			out.WriteByte(' ')
		case n.chinese && isChinese(r):
			out.WriteByte(' ')
			out.WriteRune(r)
			out.WriteByte(' ')
		default:
			out.WriteRune(r)
		}
	}
	return out.String()
}

func isControl(r rune) bool {
	if r < 0x80 {
		return (r < ' ' || r == 0x7f) && r != '\t' && r != '\n' && r != '\r'
	}
	return unicode.Is(controls, r)
}

func isSpace(r rune) bool { return unicode.Is(unicode.White_Space, r) }

// isPunctuation also takes the marks of ASCII that Unicode calls symbols.
func isPunctuation(r rune) bool {
	if r < 0x80 {
		return r > ' ' && r < 0x7f && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}
	return unicode.Is(punctuation, r)
}

// isChinese is true in the blocks of ideographs that BERT's authors list; not for kana and hangul, which are written in words.
func isChinese(r rune) bool {
	for _, block := range [...][2]rune{{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
		{0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F}} {
		if r >= block[0] && r <= block[1] {
			return true
		}
	}
	return false
}
