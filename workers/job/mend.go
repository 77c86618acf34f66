package job

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/redis/go-redis/v9"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// runningScript lists what the workers of one queue have in hand, each id followed by its message, or by nothing when there is none.
// KEYS[1] active jobs, [2] leases; ARGV[1] what the keys of jobs begin with.
var runningScript = redis.NewScript(`
local seen, out = {}, {}
local function note(ids)
  for _, id in ipairs(ids) do
    if not seen[id] then
      local msg = redis.pcall('HGET', ARGV[1] .. id, 'msg')
      seen[id] = true
      out[#out + 1] = {id, type(msg) == 'string' and msg or nil}
    end
  end
end
note(redis.call('LRANGE', KEYS[1], 0, -1))
note(redis.call('ZRANGE', KEYS[2], 0, -1))
return out`)

// dropScript takes one job out of the workers' hands, if its message is still what was listed.
// KEYS[1] active jobs, [2] leases, [3] the job; ARGV[1] its id, [2] its message, nothing when there was none.
var dropScript = redis.NewScript(`
local msg = redis.pcall('HGET', KEYS[3], 'msg')
if (type(msg) == 'string' and msg or nil) ~= ARGV[2] then return 0 end
redis.call('LREM', KEYS[1], 0, ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[3])
return 1`)

// queueNames is where asynq keeps the names of its queues.
const queueNames = "asynq:queues"

// NameQueues tells asynq which queues there are. Its client tells a name once in its life, with the first job: when Redis has lost the names, nobody who
// asks asynq sees the queues any more.
func NameQueues(ctx context.Context, rdb redis.UniversalClient) error {
	if err := rdb.SAdd(ctx, queueNames, slices.Collect(maps.Keys(Queues()))).Err(); err != nil {
		return fmt.Errorf("name the queues: %w", err)
	}
	return nil
}

// A Mender names the queues, and takes out of the queue what asynq cannot read of the jobs in its workers' hands. One such entry ends for good the recovery of
// every job of its queue whose worker died. What it takes out is lost, and found again by the store's timers like any other lost job.
type Mender struct {
	rdb     redis.UniversalClient
	message protoreflect.MessageType
}

// NewMender makes a mender; it reads messages with the type that asynq itself has registered.
func NewMender(rdb redis.UniversalClient) (*Mender, error) {
	message, err := protoregistry.GlobalTypes.FindMessageByName("asynq.TaskMessage")
	if err != nil {
		return nil, fmt.Errorf("asynq's form of a job: %w", err)
	}
	return &Mender{rdb: rdb, message: message}, nil
}

// Mend looks at every queue, and answers how many entries it has taken out of each. One that fails does not stop the others.
func (m *Mender) Mend(ctx context.Context) (map[string]int, error) {
	dropped := map[string]int{}
	errs := []error{NameQueues(ctx, m.rdb)}
	for _, queue := range slices.Sorted(maps.Keys(Queues())) {
		n, err := m.mend(ctx, queue)
		if err != nil {
			errs = append(errs, fmt.Errorf("mend queue %s: %w", queue, err))
		}
		if n > 0 {
			dropped[queue] = n
		}
	}
	return dropped, errors.Join(errs...)
}

func (m *Mender) mend(ctx context.Context, queue string) (dropped int, err error) {
	prefix := "asynq:{" + queue + "}:"
	active, lease, jobs := prefix+"active", prefix+"lease", prefix+"t:"
	running, err := runningScript.Run(ctx, m.rdb, []string{active, lease}, jobs).Slice()
	if err != nil {
		return 0, err
	}
	for _, entry := range running {
		pair, _ := entry.([]any)
		if len(pair) == 0 {
			continue
		}
		id, _ := pair[0].(string)
		args := []any{id}
		if len(pair) > 1 {
			text, _ := pair[1].(string)
			if m.readable(text) {
				continue
			}
			args = append(args, text)
		}
		n, err := dropScript.Run(ctx, m.rdb, []string{active, lease, jobs + id}, args...).Int()
		if err != nil {
			return dropped, err
		}
		dropped += n
	}
	return dropped, nil
}

// readable tells whether asynq can read a message.
func (m *Mender) readable(text string) bool {
	return proto.Unmarshal([]byte(text), m.message.New().Interface()) == nil
}
