// Package playbook decides which answer a dispute gets: a pure function from facts to a plan. It owns the grounds of answers and the
// texts that go with them, and promises that a plan never costs more than the rule allows. When to answer is sla.Decide's business,
// whether to send it the ledger's. It imports sla only.
package playbook
