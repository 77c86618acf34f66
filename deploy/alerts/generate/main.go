// Command generate writes the alerting rules as a PrometheusRule into the first file, and for the chart into the second.
package main

import (
	"fmt"
	"os"

	"watchkeeper/deploy/alerts"
)

func main() {
	if len(os.Args) != 3 {
		fail("want two files: of the object and of the chart")
	}
	if err := alerts.Write(os.Args[1], os.Args[2]); err != nil {
		fail(err)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1) //nolint:forbidigo // the edge of a program
}
