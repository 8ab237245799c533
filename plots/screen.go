package plots

import "github.com/janpfeifer/gonb/gonbui"

// screen is where a notebook shows things.
type screen interface {
	id() string
	update(id, html string) // in place
	display(html string)    // below what is there
	sync()                  // until all is shown
}

// gonb is the screen of the GoNB kernel. Where there is none, nothing is shown.
type gonb struct{}

func (gonb) id() string { return "mmiln-" + gonbui.UniqueId() }

func (gonb) update(id, html string) {
	if gonbui.IsNotebook {
		gonbui.UpdateHTML(id, html)
	}
}

func (gonb) display(html string) { gonbui.DisplayHTML(html) }
func (gonb) sync()               { gonbui.Sync() }
