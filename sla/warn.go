package sla

import "time"

// Channel is how people hear of a warning.
type Channel uint8

// The channels. Every warning is a log line and a metric besides.
const (
	ChannelLog  Channel = iota
	ChannelChat         // posted to the address for chat
	ChannelPage         // a person is called
)

var channelNames = names{"log", "chat", "page"}

func (c Channel) String() string { return channelNames.of(int(c)) }

// Channels lists every channel, for labels.
func Channels() []Channel { return all[Channel](len(channelNames)) }

// ParseChannel reads log, chat or page.
func ParseChannel(s string) (Channel, error) { return parse[Channel](channelNames, "channel", s) }

// A WarnPoint is an instant at which people are told that time is running: so long before the deadline, or when so much of the window is
// over.
type WarnPoint struct {
	Before  time.Duration // before the deadline; unless Share counts
	Share   int           // of the time between the beginning of the turn and the deadline, in basis points, 1 to 9999; 0: Before counts
	Channel Channel
}
