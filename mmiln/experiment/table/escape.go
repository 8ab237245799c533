package table

import (
	"strings"
	"unicode"
)

// Inert makes a name harmless for a terminal: line breaks and tabs become spaces; what controls the terminal or the order of
// letters, and what is not UTF-8, is shown as U+FFFD.
func Inert(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(name, "\uFFFD"))
}

// Entities rather than backslashes where Markdown's dialects differ within tables, and where GitHub's makes links unasked.
var markdownEscapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", `\`, "&#92;", "`", "&#96;", "$", "&#36;", "://", "&#58;//", "www.", "www&#46;", "@", "&#64;",
	"*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "~", `\~`, "#", `\#`, "!", `\!`,
)

func markdown(text string) string {
	return markdownEscapes.Replace(Inert(text))
}

var latexEscapes = strings.NewReplacer(
	`\`, `\textbackslash{}`, "{", `\{`, "}", `\}`, "$", `\$`, "&", `\&`, "#", `\#`, "_", `\_`, "%", `\%`,
	"~", `\textasciitilde{}`, "^", `\textasciicircum{}`, "<", `\textless{}`, ">", `\textgreater{}`, "|", `\textbar{}`,
	`"`, `\textquotedbl{}`, "`", `\textasciigrave{}`, "'", `\textquotesingle{}`, "-", "{-}", "±", `$\pm$`, "≥", `$\geq$`,
	"[", "{[}", "]", "{]}", "*", `\textasteriskcentered{}`,
)

func latex(text string) string { return latexEscapes.Replace(Inert(text)) }

// spreadsheet is a cell of CSV that no spreadsheet takes for a formula. A hyphen before a letter, as in "-MRM", cannot call
// anything and stays.
func spreadsheet(name string) string {
	name = Inert(name)
	trimmed := strings.TrimLeft(name, " ")
	if trimmed == "" {
		return name
	}
	if strings.ContainsRune("=+@", rune(trimmed[0])) || trimmed[0] == '-' && strings.ContainsAny(trimmed, "(|!+=*/") {
		return "'" + name
	}
	return name
}
