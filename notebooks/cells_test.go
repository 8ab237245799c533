package notebooks_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCellsCompile compiles every chapter as one package, so that a change to an API that a cell calls is seen where it is made.
func TestCellsCompile(t *testing.T) {
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	temporary := t.TempDir()
	virtual, packages := map[string]string{}, []string{}
	each(t, func(t *testing.T, n notebook) {
		name := "chapter" + strings.TrimSuffix(n.name, ".ipynb")
		file := filepath.Join(temporary, name+".go")
		require.NoError(t, os.WriteFile(file, []byte(n.program(t)), 0o600))
		virtual[filepath.Join(root, "notebooks", name, "cells.go")] = file
		packages = append(packages, "./notebooks/"+name)
	})
	overlay, err := json.Marshal(map[string]any{"Replace": virtual})
	require.NoError(t, err)
	replace := filepath.Join(temporary, "overlay.json")
	require.NoError(t, os.WriteFile(replace, overlay, 0o600))
	build := exec.Command("go", append([]string{"build", "-overlay", replace}, packages...)...)
	build.Dir = root
	said, err := build.CombinedOutput()
	require.NoError(t, err, "%s", said)
}

var (
	magic   = regexp.MustCompile(`(?m)^[%!].*$`)
	imports = regexp.MustCompile(`(?s)^\s*import (\(.*?\n\)|[^\n]*)`)
	inside  = regexp.MustCompile(`"[^"]+"`)
)

// program is the Go file of a chapter: its imports, its declarations, a later one of a name in the place of an earlier one as in
// GoNB, and a function for what each cell runs.
func (n notebook) program(t *testing.T) string {
	declared := map[string]string{}
	var packages []string
	var code strings.Builder
	for i, c := range n.code() {
		declarations, body, runs := strings.Cut("\n"+string(c.Source), "\n%%")
		declarations = magic.ReplaceAllString(declarations, "")
		block := imports.FindString(declarations)
		packages = append(packages, inside.FindAllString(block, -1)...)
		place := fmt.Sprintf("//line %s-cell-%d:1\n", n.name, i)
		for name, source := range declarationsOf(t, strings.Replace(declarations, block, "", 1)) {
			declared[name] = place + source
		}
		if runs {
			fmt.Fprintf(&code, "func _() {\n%s%s\n}\n", place, magic.ReplaceAllString(body, ""))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		code.WriteString(declared[name] + "\n")
	}
	return "package cells\n\n" + used(packages, code.String()) + code.String()
}

// used are the import lines that code has a use for; GoNB leaves out the others too.
func used(packages []string, code string) (lines string) {
	slices.Sort(packages)
	for _, quoted := range slices.Compact(packages) {
		if strings.Contains(code, path.Base(strings.Trim(quoted, `"`))+".") {
			lines += "import " + quoted + "\n"
		}
	}
	return lines
}

// declarationsOf splits a source without imports into its declarations by name; a method's is Type.Method.
func declarationsOf(t *testing.T, source string) map[string]string {
	const head = "package cells\n"
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", head+source, parser.SkipObjectResolution)
	require.NoError(t, err)
	at := func(p token.Pos) int { return set.Position(p).Offset - len(head) }
	found := map[string]string{}
	for _, d := range file.Decls {
		name := source[at(d.Pos()):at(d.End())]
		if f, ok := d.(*ast.FuncDecl); ok {
			name = f.Name.Name
			if f.Recv != nil {
				name = source[at(f.Recv.List[0].Type.Pos()):at(f.Recv.List[0].Type.End())] + "." + name
			}
		}
		found[name] = source[at(d.Pos()):at(d.End())]
	}
	return found
}
