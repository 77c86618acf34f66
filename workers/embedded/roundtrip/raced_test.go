//go:build race

package roundtrip_test

// raced tells that the detector is on. It sees nothing of the daemons, which are processes of their own, and makes the time that they need short.
const raced = true
