package handle

import "time"

// StopBy says when this process ends. From then on an answer is begun only when its call and the writing down of its outcome can come to
// their ends before that: an answer that is cut off is of unknown outcome, which costs a settle window to learn. The others are put off, for
// another process to send.
func (h *Handlers) StopBy(end time.Time) { h.end.Store(&end) }

// ending tells whether no answer may begin any more.
func (h *Handlers) ending() bool {
	end := h.end.Load()
	return end != nil && h.Now().Add(callTimeout+reserve).After(*end)
}
