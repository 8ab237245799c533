package data

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whatever an index holds, reading it ends in an error that names the file, or in examples that keep every rule: written and
// read again they are the same.
func FuzzIndex(f *testing.F) {
	head := strings.Join(columns, ",") + "\n"
	for _, rows := range []string{
		"train,0,a,1,,,,2,1,0,4,so it goes\nvalid,0,b,-3,0.5,-0,3,1,1,0,1,\ntest,0,c,0,,,,1,1,0,1,\"x, \"\"y\"\"\"\n",
		"train,0,a,NaN,,,,2,1,0,4,w\n", "train,0,a,1e39,,,,2,1,0,4,w\n", "train,0,a,0x1p-2,,,,2,1,0,4,w\n",
		"train,1,a,1,,,,2,1,0,4,w\n", "train,0,a,1,,,,2147483648,1,0,4,w\n", "train,0,a,1\n", "train,0,\"a", "",
	} {
		f.Add(head + rows)
	}
	f.Add("\ufeff" + head)
	f.Fuzz(func(t *testing.T, content string) {
		source := Source{Width: [3]int{2, 3, 0}, Tokens: true, Limit: 3}
		first, err := parseIndex(strings.NewReader(content), source)
		if err != nil {
			assert.True(t, strings.HasPrefix(err.Error(), "index.csv"), err.Error())
			return
		}
		second, err := parseIndex(write(t, first), source)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("%#v", first), fmt.Sprintf("%#v", second))
	})
}

func write(t *testing.T, all index) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	require.NoError(t, w.Write(columns))
	for _, split := range Splits {
		for row, e := range all[split] {
			require.NoError(t, w.Write(record(split, row, e)))
		}
	}
	w.Flush()
	return &b
}
