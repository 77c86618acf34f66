// Command watchkeeper is the daemon; package daemon is all of it.
package main

import (
	"os"

	"watchkeeper/cmd/watchkeeper/daemon"
)

func main() { os.Exit(daemon.Main()) }
