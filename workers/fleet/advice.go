package fleet

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"

	"watchkeeper/sla"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/store"
)

// noPermission is how Redis refuses a command to a user.
const noPermission = "NOPERM"

// Forbidden reports whether Redis lets us in and forbids us the command.
func Forbidden(err error) bool { return says(err, noPermission) }

// Refused reports whether Redis is there and does not let us in, or not do what we ask.
func Refused(err error) bool { return says(err, noPermission, "NOAUTH", "WRONGPASS") }

func says(err error, words ...string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(err.Error(), word) })
}

// Advice is what an operator should do about an error of Redis or of the network; empty when that is not known.
func Advice(err error) string {
	_, network := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, store.ErrUnfit):
		return "give it a Redis for itself, of version 7.0 or later, with maxmemory-policy noeviction: CONFIG SET it on the server, and write it into redis.conf"
	case errors.Is(err, syscall.EADDRINUSE):
		return "give this process another port, or end the one that has it"
	case Forbidden(err):
		return "give the Redis user the rights of deploy/redis/users.acl"
	case Refused(err):
		return "set WK_REDIS__USERNAME and WK_REDIS__PASSWORD_FILE to a user of this server"
	case says(err, "cluster support disabled"):
		return "take WK_REDIS__CLUSTER back: this server is no part of a cluster"
	case says(err, "MOVED "):
		return "set WK_REDIS__CLUSTER=true: this server is part of a cluster"
	case says(err, "DB index is out of range"):
		return "set WK_REDIS__DB to a number that this server has"
	case errors.Is(err, sla.ErrStoreOut), network:
		return "see whether Redis runs, whether WK_REDIS__ADDRS is where it is, and whether WK_REDIS__TLS is as it wants it"
	}
	return ""
}

// Warnings are what is no mistake of the configuration, and hardly meant.
func Warnings(c Config, book *rules.Book) []string {
	out := book.Warnings()
	if !c.Notify.Anywhere() {
		out = append(out, "nobody is told of pages: neither WK_NOTIFY__PAGE_URL nor WK_NOTIFY__CHAT_URL (nor their _FILE) is set; without them only "+
			"the log and the alert PersonNeeded tell of a page")
	}
	return append(out, c.TraceWarnings()...)
}
