package transport

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
)

// SecretFile reads the secret that a file holds. Its errors tell the path and the cause, never the content.
func SecretFile(path string) (string, error) {
	raw, err := readSmall(path)
	if err != nil {
		return "", err
	}
	return checkSecret(raw)
}

func readSmall(path string) (string, error) {
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return "", unreadable(path, err)
	}
	defer func() { _ = f.Close() }()                       // it was only read
	raw, err := io.ReadAll(io.LimitReader(f, maxSecret+3)) // room for the line end and one byte too many
	if err != nil {
		return "", unreadable(path, err)
	}
	return string(raw), nil
}

// plainPath is a text that is a path and no secret by mistake: absolute, in a folder, of short parts, without the signs of an encoding.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._-]{1,64}){2,}$`)

// unreadable says why a file cannot be read. Where a secret stands in place of the path, only the cause is told.
func unreadable(path string, err error) error {
	cause := errors.New("not readable")
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		cause = e.Err
	}
	if !plainPath.MatchString(path) {
		return fmt.Errorf("the file cannot be read: %w", cause)
	}
	return fmt.Errorf("the file cannot be read: %s: %w", path, cause)
}
