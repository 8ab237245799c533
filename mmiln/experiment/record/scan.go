package record

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// maxLine bounds one line of a log, in bytes.
const maxLine = 16 << 20

// errStop is how a visitor ends a scan early.
var errStop = errors.New("stop")

// errDamaged marks a line that is not in the file's format.
var errDamaged = errors.New("damaged")

// scan calls visit for each line of a log, without its newline. A torn last line, unterminated or damaged, is passed over;
// any other line that visit refuses is an error with file and line number. It returns the size of what was visited: where
// the log has to be cut so that another line may follow. A file that is not there is an empty log.
func scan(path string, visit func(line []byte) error) (size int64, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, failed("opening", path, err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, maxLine)
	lines.Split(withNewline)
	number := 1
	for ; lines.Scan(); number++ {
		length := len(lines.Bytes())
		line, terminated := bytes.CutSuffix(lines.Bytes(), []byte("\n"))
		if !terminated {
			return size, scanError(path, number, lines.Err())
		}
		err := visit(line)
		if errors.Is(err, errStop) {
			return size, nil
		}
		if err != nil && (!isDamage(err) || lines.Scan() || lines.Err() != nil) {
			return size, scanError(path, number, err)
		}
		if err != nil {
			return size, nil
		}
		size += int64(length)
	}
	return size, scanError(path, number, lines.Err())
}

// withNewline splits after newlines and hands out the unterminated rest as it is.
func withNewline(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func isDamage(err error) bool {
	var syntax *json.SyntaxError
	return errors.Is(err, errDamaged) || errors.As(err, &syntax)
}

func scanError(path string, number int, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("record: %s:%d has more than %d MiB; cut the line out or restore the file", path, number, maxLine>>20)
	case isDamage(err):
		return fmt.Errorf("record: %s:%d is no last line torn by a crash: %w; cut it out or restore the file", path, number, err)
	}
	return fmt.Errorf("record: %s:%d: %w", path, number, err)
}

// epochOf reads the "epoch" of a line of JSON.
func epochOf(line []byte) (int, error) {
	var head struct{ Epoch *int }
	if err := json.Unmarshal(line, &head); err != nil {
		return 0, err
	}
	if head.Epoch == nil || *head.Epoch < 0 {
		return 0, errors.New(`the line needs an "epoch" that is not negative`)
	}
	return *head.Epoch, nil
}
