package intake

import "testing"

func TestRejectsKeepNothingOfThePerson(t *testing.T) {
	t.Parallel()
	raw := `{"issue_id":1,"buyer_login_id":"fr15000xyz","content":"my \"name\" is Ann","gmt":"2026","shipping_address":"1 High St`
	got := string(withoutPeople([]byte(raw)))
	if want := `{"issue_id":1,"buyer_login_id":"-","content":"-","gmt":"2026","shipping_address":"-"`; got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}
