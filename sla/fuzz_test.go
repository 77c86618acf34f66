package sla_test

import (
	"strings"
	"testing"

	"watchkeeper/sla"
)

// FuzzIDs holds that a dispute's id and a parcel's key are read as they are written, and that a refusal quotes no more than a little.
func FuzzIDs(f *testing.F) {
	for _, s := range []string{"AE01/9123456789012345", "AE01/", "/1", "ae/1", "AE01/a/b", "AE01/\x00", "RB1:3011", ":", "a:b:c", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := sla.ParseDisputeID(s)
		switch {
		case err != nil && (id != sla.DisputeID{} || len(err.Error()) > 400):
			t.Errorf("%q: both %v and an error of %d bytes", s, id, len(err.Error()))
		case err == nil && (id.String() != s || !id.Store.Valid() || strings.ContainsAny(id.Native, "/ \n")):
			t.Errorf("%q is read as %q", s, id)
		}
		ref := sla.ParseShipmentKey(s)
		if again := sla.ParseShipmentKey(ref.Key()); again != ref {
			t.Errorf("%q: %+v is read again as %+v", s, ref, again)
		}
	})
}
