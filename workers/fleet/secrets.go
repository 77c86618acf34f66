package fleet

import (
	"slices"
	"strings"

	"watchkeeper/connectors/transport"
	"watchkeeper/sla/rules"
	"watchkeeper/workers/redact"
	"watchkeeper/workers/trace"
)

// Redactor knows every secret of an environment: the values of secret variables, and what the files hold that others name.
func Redactor(environ []string) *redact.Redactor {
	var secrets []string
	for _, entry := range withoutQuotes(environ) {
		name, value, _ := strings.Cut(entry, "=")
		name = strings.ToUpper(name)
		switch {
		case name == "OTEL_EXPORTER_OTLP_HEADERS" || name == "OTEL_EXPORTER_OTLP_TRACES_HEADERS":
			secrets = append(secrets, trace.Secrets(value)...)
		case name == trace.HeadersFile:
			if text, err := transport.SecretFile(value); err == nil { // whoever needs the file reports it
				secrets = append(secrets, trace.Secrets(text)...)
			}
		case !strings.HasPrefix(name, Prefix) || !rules.IsSecret(name):
		case strings.HasSuffix(name, "_FILE"):
			text, err := transport.SecretFile(value)
			if err != nil {
				continue // whoever needs the file reports it
			}
			secrets = append(secrets, text)
			for line := range strings.Lines(text) {
				secrets = append(secrets, strings.TrimSpace(line))
			}
		default:
			secrets = append(secrets, value)
		}
	}
	slices.Sort(secrets)
	return redact.New(slices.Compact(secrets)...)
}
