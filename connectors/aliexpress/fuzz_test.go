package aliexpress

import "testing"

// FuzzPlace holds that any cursor is a page of the list, and that a place is read as it was written.
func FuzzPlace(f *testing.F) {
	for _, s := range []string{"", "1.0", "3.120", "0.1", "-1.2", "1.-1", "9223372036854775808.1", "+1.+2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		p := parsePlace(token)
		if p.page < 1 || p.page > lastPage || p.total < 0 {
			t.Errorf("%q is %+v", token, p)
		}
		if again := parsePlace(p.String()); again != p {
			t.Errorf("%+v is read again as %+v", p, again)
		}
	})
}
