package pickle_test

import (
	"fmt"
	"strings"

	"github.com/mmiln/workbench/data/mmsa/pickle"
)

// Arrays stay in the file and are read row by row.
func ExampleOpen() {
	f, err := pickle.Open("testdata/values.p4.pkl")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	arrays, _ := f.Root.(*pickle.Dict).Get("arrays")
	long, _ := arrays.(*pickle.Dict).Get("long")
	rows, err := long.(*pickle.Array).Rows()
	if err != nil {
		fmt.Println(err)
		return
	}
	row := make([]float64, 100)
	for range 2 {
		if err := rows.Next(row); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(pickle.Kind(long), row[:4])
	}
	// Output:
	// array of float32 [164 100] [0 0.5 1 1.5]
	// array of float32 [164 100] [50 50.5 51 51.5]
}

// What a pickle could have Python run is refused by its name.
func ExampleLoad() {
	const evil = "\x80\x02cos\nsystem\nX\x06\x00\x00\x00whoami\x85R."
	_, err := pickle.Load(strings.NewReader(evil), int64(len(evil)))
	message, _, _ := strings.Cut(err.Error(), ";")
	fmt.Println(message)
	// Output: byte 2: the file asks for "os.system", which is not allowed and was not run
}
