package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"watchkeeper/connectors/transport"
	"watchkeeper/sla"
	"watchkeeper/workers/fleet"
	"watchkeeper/workers/notify"
)

func (t *tool) notifyCommand() *cobra.Command {
	return group("notify", "Where people are told of warnings and pages", t.notifyTest())
}

func (t *tool) notifyTest() *cobra.Command {
	return &cobra.Command{
		Use:   "test",
		Short: "Post a test to the webhooks of pages and warnings",
		Long: `test posts one message for pages and one for warnings to the webhooks of the variables, which says of itself to be a test ("test": true), and tells what
became of each. Pages go to the webhook for warnings when they have none of their own, as they do when it matters. A message is posted once;
the daemon tries again. Nothing is posted while the variables hold a mistake, which may be in the name of a webhook.
That a webhook took a message does not mean that it woke somebody: ask who is on call.

Exit codes: 0 both were taken, or one where the other has no webhook, 1 one was not taken, 2 the variables hold a mistake, or there is no webhook at all.`,
		Example: `  wkctl notify test
  wkctl notify test -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return t.tryHooks(cmd.Context()) },
	}
}

// A hookTest is what became of a test.
type hookTest struct {
	Channel string `json:"channel"`
	Taken   bool   `json:"taken"`
	Found   words  `json:"found"`
}

func (t *tool) tryHooks(ctx context.Context) error {
	config, _, err := fleet.Load(ctx, t.environ, t.registry)
	if err != nil {
		return notUsable(err) // what is left out of it might be a webhook
	}
	options, err := config.Notify.Apply(notify.Options{Now: t.now}, transport.SecretFile)
	if err != nil {
		return usagef("%w", err)
	}
	poster := notify.New(options)
	var all []hookTest
	hooks, failed := 0, 0
	for _, c := range []sla.Channel{sla.ChannelPage, sla.ChannelChat} {
		err := poster.Try(ctx, c)
		one := hookTest{Channel: c.String(), Taken: err == nil, Found: "taken"}
		if err != nil {
			one.Found = words(err.Error())
		}
		if !errors.Is(err, notify.ErrNoHook) {
			hooks++
			if err != nil {
				failed++
			}
		}
		all = append(all, one)
	}
	if err := errors.Join(t.show(all, func(w io.Writer) { printHookTests(w, all) }), poster.Close(ctx)); err != nil {
		return err
	}
	switch {
	case hooks == 0:
		return usagef("no webhook is configured: set WK_NOTIFY__PAGE_URL_FILE")
	case failed > 0:
		return errors.New("not every webhook took its test")
	}
	return nil
}

func printHookTests(w io.Writer, all []hookTest) {
	tab := newTable(w, "CHANNEL", "TEST")
	for _, one := range all {
		tab.row(one.Channel, string(one.Found))
	}
	tab.end()
}
