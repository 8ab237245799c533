package record

import "errors"

// LogOpening records that a sealed split was opened for a run that nobody is writing.
func LogOpening(dir string, o Opening) error {
	if _, err := readManifest(dir); err != nil {
		return err
	}
	r, err := take(dir)
	if err != nil {
		return err
	}
	return errors.Join(r.Opened(o), r.Close())
}
