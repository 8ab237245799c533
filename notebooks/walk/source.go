package walk

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"github.com/janpfeifer/gonb/gonbui"
)

// Source shows functions and types of a package of this repository as they stand in its source, each with its file and line:
// Source("mmiln", "Config.GateTransformer", "gates.mix"). Without names it is an error, as is a name that is not there.
func Source(pkg string, names ...string) error {
	root, err := Root()
	if err != nil {
		return err
	}
	text, err := sourceOf(root, pkg, names...)
	if err != nil {
		return err
	}
	gonbui.DisplayMarkdown(text)
	gonbui.Sync()
	return nil
}

// sourceOf is the Markdown that Source shows.
func sourceOf(root, pkg string, names ...string) (string, error) {
	if len(names) == 0 {
		return "", fmt.Errorf("say which functions of %s to show", pkg)
	}
	found, err := declarations(root, pkg)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	for _, name := range names {
		d, ok := found[name]
		if !ok {
			return "", fmt.Errorf("package %s has no %s; its source has changed since this was written", pkg, name)
		}
		fmt.Fprintf(&out, "`%s`, line %d\n\n```go\n%s\n```\n\n", d.file, d.line, d.text)
	}
	return out.String(), nil
}

// declaration is a function or type with its comment.
type declaration struct {
	file, text string
	line       int
}

// declarations reads those of a package by name; methods as Type.Method.
func declarations(root, pkg string) (map[string]declaration, error) {
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(pkg), "*.go"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("there is no package %s in %s", pkg, root)
	}
	found := map[string]declaration{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		if err := readDeclarations(found, root, file); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func readDeclarations(found map[string]declaration, root, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	syntax, err := parser.ParseFile(set, file, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	short, err := filepath.Rel(root, file)
	if err != nil {
		return err
	}
	for _, node := range syntax.Decls {
		name, comment := nameOf(node)
		start := node.Pos()
		if comment != nil {
			start = comment.Pos()
		}
		from, to := set.Position(start), set.Position(node.End())
		found[name] = declaration{
			file: filepath.ToSlash(short), line: set.Position(node.Pos()).Line, text: string(bytes.TrimSpace(text[from.Offset:to.Offset])),
		}
	}
	return nil
}

// nameOf is a declaration's name, with its receiver's, and its comment.
func nameOf(node ast.Decl) (string, *ast.CommentGroup) {
	switch d := node.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			return d.Name.Name, d.Doc
		}
		receiver := d.Recv.List[0].Type
		if star, ok := receiver.(*ast.StarExpr); ok {
			receiver = star.X
		}
		if id, ok := receiver.(*ast.Ident); ok {
			return id.Name + "." + d.Name.Name, d.Doc
		}
	case *ast.GenDecl:
		if len(d.Specs) == 1 {
			if spec, ok := d.Specs[0].(*ast.TypeSpec); ok {
				return spec.Name.Name, d.Doc
			}
		}
	}
	return "", nil
}
