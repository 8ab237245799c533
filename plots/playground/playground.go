// Package playground puts a trained MMILN into a page: the pure Go backend compiled to WebAssembly, the weights of a run's best
// epoch and a few examples, in one piece of HTML that needs no network. Whatever the reader moves, gates, modalities, words, the
// readings of re-fusion and of the label generator, is recomputed there by the code that trains.
package playground

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"strings"

	"github.com/mmiln/workbench/gomlx_ext/atomicfile"
	"github.com/mmiln/workbench/plots/playground/exhibit"
)

// Options say what a playground is made of. The zero value is the usual one.
type Options struct {
	Data  string // the data set, where it has moved; empty: the one of the run's configuration
	Cache string // folder of compiled programs; empty: mmiln in the user's cache
}

// Part is a playground as a part of a page. A page holds one.
type Part struct {
	HTML    template.HTML // with its style first; data stands in <script type="application/…"> blocks, which do not run
	Style   string        // that style, for a policy that names its hash
	Scripts []string      // to run after the markup, in order; a policy names their hashes
	Sources []string      // what a policy must allow scripts beside, with the quotes
}

//go:embed playground.css playground.js page.css fragment.html page.html
var files embed.FS

var pages = template.Must(template.New("").Funcs(functions).ParseFS(files, "*.html"))

// Fragment makes the playground of a run's best epoch for a page that has more in it. The model's program is compiled where
// the same source has not been before.
func Fragment(ctx context.Context, runDir string, o Options) (Part, error) {
	b, err := Collect(runDir, o)
	if err != nil {
		return Part{}, err
	}
	return FromBundle(ctx, b, o)
}

// FromBundle is [Fragment] for a model that is there already.
func FromBundle(ctx context.Context, b *exhibit.Bundle, o Options) (Part, error) {
	still, err := newStill(b)
	if err != nil {
		return Part{}, err
	}
	if still.Bundle, err = packed(b); err != nil {
		return Part{}, err
	}
	cache, err := o.cache()
	if err != nil {
		return Part{}, err
	}
	p, err := compile(ctx, cache)
	if err != nil {
		return Part{}, err
	}
	still.Program = template.HTML(base64.StdEncoding.EncodeToString(p.wasm))
	style, script, err := assets()
	if err != nil {
		return Part{}, err
	}
	var out bytes.Buffer
	out.WriteString("<style>" + style + "</style>\n")
	if err := pages.ExecuteTemplate(&out, "fragment.html", still); err != nil {
		return Part{}, err
	}
	return Part{
		HTML: template.HTML(out.String()), Style: style, Scripts: []string{p.glue, script}, Sources: []string{"'wasm-unsafe-eval'"},
	}, nil
}

func (o Options) cache() (string, error) {
	if o.Cache != "" {
		return o.Cache, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no place to keep the page's program: %w", err)
	}
	return filepath.Join(dir, "mmiln"), nil
}

// packed is the bundle, gzipped, in base64.
func packed(b *exhibit.Bundle) (template.HTML, error) {
	content, err := b.Encode()
	if err != nil {
		return "", err
	}
	small, err := squeeze(content)
	return template.HTML(base64.StdEncoding.EncodeToString(small)), err
}

func assets() (style, script string, err error) {
	css, err := files.ReadFile("playground.css")
	if err != nil {
		return "", "", err
	}
	js, err := files.ReadFile("playground.js")
	return string(css), string(js), err
}

// Inline is the part with its scripts in place, for documents without a policy of their own such as notebooks.
func (p Part) Inline() template.HTML {
	var all strings.Builder
	all.WriteString(string(p.HTML))
	for _, script := range p.Scripts {
		all.WriteString("<script>" + script + "</script>\n")
	}
	return template.HTML(all.String())
}

// Page is a whole page around the playground of a run: it runs from a file, asks the network for nothing and lets nothing run
// but its own scripts and WebAssembly.
func Page(ctx context.Context, runDir string, o Options) ([]byte, error) {
	b, err := Collect(runDir, o)
	if err != nil {
		return nil, err
	}
	p, err := FromBundle(ctx, b, o)
	if err != nil {
		return nil, err
	}
	return p.Page("MMILN in the page: " + b.Run)
}

// Page is a whole page around the part.
func (p Part) Page(title string) ([]byte, error) {
	frame, err := files.ReadFile("page.css")
	if err != nil {
		return nil, err
	}
	scripts := append([]string{}, p.Sources...)
	for _, script := range p.Scripts {
		scripts = append(scripts, hash(script))
	}
	policy := fmt.Sprintf("default-src 'none'; script-src %s; style-src %s %s; base-uri 'none'; form-action 'none'",
		strings.Join(scripts, " "), hash(p.Style), hash(string(frame)))
	var out bytes.Buffer
	err = pages.ExecuteTemplate(&out, "page.html", map[string]any{
		"Title": title, "Policy": template.HTMLAttr(`content="` + template.HTMLEscapeString(policy) + `"`),
		"Style": template.HTML("<style>" + string(frame) + "</style>"), "Part": p.Inline(),
	})
	return out.Bytes(), err
}

// Write makes the page of a run and puts it in its place.
func Write(ctx context.Context, runDir, path string, o Options) (size int, err error) {
	page, err := Page(ctx, runDir, o)
	if err != nil {
		return 0, err
	}
	return len(page), atomicfile.Replace(path, page)
}

// hash names a script or a style in a content security policy.
func hash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
