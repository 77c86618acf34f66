// Command generate writes the dashboards into the folders that it is given.
package main

import (
	"fmt"
	"os"

	"watchkeeper/deploy/dashboards"
)

func main() {
	if err := dashboards.Write(os.Args[1:]...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:forbidigo // the edge of a program
	}
}
