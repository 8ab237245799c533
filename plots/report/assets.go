package report

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"github.com/mmiln/workbench/plots"
)

// assets adds styles and scripts, and the policy that lets these run and nothing else.
func (v *view) assets() error {
	own, err := files.ReadFile("page.css")
	if err != nil {
		return err
	}
	v.Style = template.CSS(string(own) + plots.Style())
	allowed := append([]string{}, v.Playground.Sources...)
	for _, script := range append([]string{plots.Script()}, v.Playground.Scripts...) {
		if strings.Contains(strings.ToLower(script), "</script") || strings.Contains(script, "\r") {
			return fmt.Errorf("report: a script of the page would end before its time; take </script and carriage returns out of it")
		}
		v.Scripts = append(v.Scripts, template.JS(script))
		allowed = append(allowed, hash(script))
	}
	policy := "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src " +
		strings.Join(allowed, " ")
	v.Policy = template.HTMLAttr(`content="` + template.HTMLEscapeString(policy) + `"`)
	return nil
}

// hash names a script in a content security policy.
func hash(script string) string {
	sum := sha256.Sum256([]byte(script))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
