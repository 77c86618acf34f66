// Package connectors is the contract between the fleet and the platforms: what a connector, a responder and a tracker must do, what
// a page, a cursor, an answer's outcome and an error are, and the registry that lists the platforms.
//
// It promises nothing about HTTP (connectors/transport does) and knows no platform (connectors/<platform> do). It imports sla only.
package connectors
