// Package fleet puts the parts together and keeps them running: it reads the machinery's variables, opens Redis, builds one connector
// for each store, and runs the poller, the sweeper and the job workers until it is told to stop. It is the only package that knows
// everybody, and may import all of ours but cmd and the development packages. It touches no signal, no global registry and no exit.
package fleet
