// Package notify tells people of warnings and pages by webhook: generic JSON with one plain sentence in it, which Slack, Mattermost and
// their like show as it is. It promises that nobody waits for a hook, that a page never waits behind a warning nor is given up for one, and
// that no address, token or buyer's text is in a log or an error. What it holds is in memory: a process that dies loses it, and the log and
// the metrics remain. It imports sla only; when people are told is decided in workers/handle.
package notify
