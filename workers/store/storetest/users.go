package storetest

import (
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// The users of deploy/redis/users.acl.
const (
	Daemon   = "watchkeeper"
	Operator = "wkctl"
)

// Password is every user's in a server of StartWithUsers.
const Password = "of-a-server-for-tests"

// Admin may do everything on a server of StartWithUsers: the hand that breaks things.
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

// As logs in as a user of a server of StartWithUsers.
func As(tb testing.TB, addr, user string) *redis.Client {
	tb.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr, Username: user, Password: Password})
	admin := redis.NewClient(&redis.Options{Addr: addr, Username: Admin, Password: Password})
	hands.Store(rdb, admin)
	tb.Cleanup(func() {
		hands.Delete(rdb)
		_, _ = rdb.Close(), admin.Close()
	})
	return rdb
}

// hands are the administrators behind clients of As.
var hands sync.Map

// Hand is the administrator's client beside one of As, for what the tests do to a server; of any other client it is the client itself.
func Hand(rdb redis.UniversalClient) redis.UniversalClient {
	if hand, ok := hands.Load(rdb); ok {
		if admin, ok := hand.(*redis.Client); ok {
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
