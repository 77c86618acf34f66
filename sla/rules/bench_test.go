package rules_test

import (
	"fmt"
	"testing"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
)

func manyStores(n int) []string {
	env := make([]string, 0, 2*n)
	for i := range n {
		env = append(env, fmt.Sprintf("WK_STORE__S%04d__PLATFORM=aliexpress", i), fmt.Sprintf("WK_SLA__STORE__S%04d__REASON__DAMAGED__GUARD=2h", i))
	}
	return env
}

func BenchmarkFor(b *testing.B) {
	book, err := rules.Load(b.Context(), manyStores(1000), options())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if r := book.For("aliexpress", "S0500", sla.ReasonDamaged); r.Guard.Value == 0 {
			b.Fatal("no guard")
		}
	}
}

func BenchmarkLoadAThousandStores(b *testing.B) {
	env := manyStores(1000)
	for b.Loop() {
		if _, err := rules.Load(b.Context(), env, options()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReportTwentyTyposAmongAThousandStores(b *testing.B) {
	env := manyStores(1000)
	for i := range 20 {
		env = append(env, fmt.Sprintf("WK_SLA__STORE__S%04d__REASON__DAMAGED__GUADR=2h", i))
	}
	for b.Loop() {
		if _, err := rules.Load(b.Context(), env, options()); err == nil {
			b.Fatal("nothing was refused")
		}
	}
}
