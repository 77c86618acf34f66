package storetest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// The users of deploy/redis/users.acl.
const (
	Daemon   = "watchkeeper"
	Operator = "wkctl"
)

// Password is every user's in a server of StartWithUsers or Start.
const Password = "of-a-server-for-tests"

// Admin may do everything on such a server: the hand that breaks things.
const Admin = "admin"

var userLine = regexp.MustCompile(`(?m)^user (\S+) on `)

// UsersFile writes the access list that is shipped, with Password for each user and an Admin besides, to a file for redis-server's --aclfile.
func UsersFile(tb testing.TB) string {
	tb.Helper()
	shipped, err := os.ReadFile(filepath.Join(root(tb), "deploy", "redis", "users.acl"))
	must(tb, err)
	text := userLine.ReplaceAllString(string(shipped), "user $1 on >"+Password+" ") + "user " + Admin + " on >" + Password + " ~* &* +@all\n"
	path := filepath.Join(tb.TempDir(), "users.acl")
	must(tb, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// StartWithUsers starts a server on which only the shipped users and Admin exist, and gives its address.
func StartWithUsers(tb testing.TB, args ...string) string {
	tb.Helper()
	return StartRedis(tb, append([]string{"--aclfile", UsersFile(tb)}, args...)...)
}

// openUsers are arguments that give a server the users of UsersFile, and leave it open to whoever does not log in.
func openUsers(tb testing.TB) []string {
	tb.Helper()
	text, err := os.ReadFile(UsersFile(tb))
	must(tb, err)
	var args []string
	for line := range strings.Lines(string(text)) {
		user := strings.Fields(line)
		if user[1] == "default" {
			user = []string{"user", "default", "on", "nopass", "~*", "&*", "+@all"}
		}
		args = append(append(args, "--user"), user[1:]...)
	}
	return args
}

// As logs in as a user of what StartWithUsers or Start has started.
func As(tb testing.TB, addrs, user string) redis.UniversalClient {
	tb.Helper()
	rdb := dial(addrs, user, Password)
	lend(tb, rdb, dial(addrs, Admin, Password))
	tb.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// hands are the administrators behind clients.
var hands sync.Map

// lend puts an administrator's hand beside a client. On a cluster it reaches every master where a command is not about one key.
func lend(tb testing.TB, rdb, hand redis.UniversalClient) {
	tb.Helper()
	if cluster, ok := hand.(*redis.ClusterClient); ok {
		hand = everywhere{cluster}
	}
	hands.Store(rdb, hand)
	tb.Cleanup(func() {
		hands.Delete(rdb)
		_ = hand.Close()
	})
}

// Hand is the administrator's client beside one of As or Connect, for what the tests do to a server; of any other client it is the client itself.
func Hand(rdb redis.UniversalClient) redis.UniversalClient {
	if hand, ok := hands.Load(rdb); ok {
		if admin, ok := hand.(redis.UniversalClient); ok {
			return admin
		}
	}
	return rdb
}

// root is the folder of the module: tests run in the folder of their package.
func root(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	must(tb, err)
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			tb.Fatal("no go.mod above the test")
		}
		dir = up
	}
}
