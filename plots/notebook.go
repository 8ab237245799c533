package plots

// wake draws a fragment that was added to a page after [Setup] had run. Before, it does nothing.
const wake = "<script>window.mmilnCharts && mmilnCharts.draw()</script>\n"

// ShowSetup makes a notebook ready for charts: call it once, in a cell near the top.
func ShowSetup() {
	gonb{}.display(string(Setup()))
	gonb{}.sync() // a cell's program that ends first takes it along
}

// Show displays charts below a notebook's cell, one under another. Outside of a notebook it does nothing but check them.
func Show(charts ...Chart) error {
	for _, c := range charts {
		html, err := c.HTML()
		if err != nil {
			return err
		}
		gonb{}.display(string(html) + wake)
	}
	gonb{}.sync()
	return nil
}

// Must is for notebooks, where an error had best stop the cell: plots.Must(plots.Gates(run)).
func Must(c Chart, err error) Chart {
	if err != nil {
		panic(err)
	}
	return c
}
