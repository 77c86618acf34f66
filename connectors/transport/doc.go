// Package transport is HTTP for connectors: one client for each store, that asks the fleet's limiter first, sends a request with an
// effect at most once, tries a read at most twice, bounds time and bytes, turns statuses into error kinds and measures the
// platform's clock; and the tools around it: splitting a page into rows, fingerprints, secrets from the environment or from files,
// and rotating tokens shared by all replicas.
//
// It promises that no error and no log line holds a URL query, a header, a body or one of the secrets it was told, and that an
// effect which may have left this process is never reported as surely not done. It knows no platform. It may import connectors and sla.
package transport
