// Package aliexpress watches and answers the disputes of one AliExpress shop through the seller API.
//
// It owns the gateway (parameters, signature, envelopes, codes), the platform's words and clocks, and what they mean in ours. It
// promises that a status, a type or a code it has never seen stays visible and is never taken for consent, that the identity of a
// turn depends on the other side's moves only, that a buyer's login lives in this process's memory and nowhere else, and that one
// answer is one request with an effect. Calls, limits and tokens are transport's; when to answer is the fleet's. It may import
// connectors, connectors/transport and sla.
//
// Facts about the platform carry the tags of their sources: AE-cat (the official API catalogue), AE1364, AE1369, AE1388 (the official
// pages on authorisation, calling parameters and signatures), ae_sdk and Orkas (public client code), TOP-meta and TOP (metadata and
// error pages of the gateway generation before, whose method names and error shape live on). "unsure" means that no official text
// confirms it; the README lists those.
package aliexpress
