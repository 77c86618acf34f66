package simulation_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"watchkeeper/workers/simulation"
)

func TestDebug(t *testing.T) {
	var s simulation.Server = simulation.NewInMemory()
	if a := os.Getenv("SIM_REDIS"); a != "" {
		s = simulation.Real{Client: redis.NewClient(&redis.Options{Addr: a})}
		s.Flush()
	}
	seed, _ := strconv.Atoi(os.Getenv("SIM_SEED"))
	n, _ := strconv.Atoi(os.Getenv("SIM_CASES"))
	f, _ := strconv.Atoi(os.Getenv("SIM_FAULTS"))
	o := simulation.Options{Seed: uint64(seed), Cases: n, Faults: simulation.Faults(f)}
	if only := os.Getenv("SIM_TRACE"); only != "" {
		o.Trace = func(at time.Time, of, what string) {
			if of == "" || of == only || only == "all" {
				fmt.Println(at.Format("02 15:04:05.000"), of, what)
			}
		}
	}
	start := time.Now()
	r := simulation.New(o, s).Run()
	for i, v := range r.Violations {
		if i < 10 {
			fmt.Println(v)
		}
	}
	r.Violations = nil
	fmt.Printf("%+v %s\n", r, time.Since(start))
}
