// Package track17 follows parcels through 17TRACK's Tracking API, v2.2 or v2.4.
//
// It owns the provider's wire format, its statuses and error codes, and the meaning of its webhooks. It promises that one bad number,
// row or event never hides the others, that a status it has never seen stays visible as it came, that no carrier text, key or address
// leaves it, and that no event gets a time the provider did not give. Calls, limits and retries are transport's, when to look is the
// fleet's. It may import connectors, connectors/transport and sla.
//
// Facts about the provider carry the tags of its public documentation: D22 and D24 (API v2.2 and v2.4), HC (help centre), C
// (community code and threads: true somewhere, not promised).
package track17
