/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Policy: may a connection be opened? Answered from the endpoint's policy set, which the agent fills completely before it
 * gives its number to an endpoint and never changes for peers that exist. Order of precedence, see docs/datapath.md:
 *
 *   1. the pod's own node, and the pod itself: allowed
 *   2. the endpoint's policy is not known yet: denied
 *   3. a deny rule, for the peer's identity, its address or everybody: denied
 *   4. an allow rule, the same: allowed
 *   5. default deny: denied
 *   6. allowed
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "address.h"
#include "endpoint.h"

#define IDENTITY_HOST 1
/* Peer numbers in `policies` besides identities: everybody; with bit 24 a range of addresses. */
#define PEER_ANY 0

/* Hubble's numbers. */
enum drop_reason {
	DROP_INVALID_SOURCE = 132,
	DROP_POLICY_DENIED = 133,   /* no rule allows it */
	DROP_INVALID_PACKET = 134,
	DROP_INVALID_HEADER = 135,  /* transport header */
	DROP_INVALID_EXTENSION = 156,
	DROP_FRAGMENT_UNKNOWN = 175,
	DROP_POLICY_DENY = 181,     /* a rule denies it */
	DROP_NOT_READY = 203,
};

struct policy_key {
	__u32 prefix_length; /* bits of what follows: 72 = any protocol, 80 + n = n bits of the port */
	__u32 set;
	__u32 peer;
	__u8 egress;
	__u8 protocol;
	__be16 port;         /* of the server; ICMP: the type */
};

/* Bits of policy_entry.flags: what the rules for this peer, protocol and port come to, wider ones included. */
#define POLICY_ALLOW 1u
#define POLICY_DENY 2u
#define POLICY_AUDIT_ALLOW 4u /* by a policy that is audited only */
#define POLICY_AUDIT_DENY 8u

struct policy_entry {
	__u32 flags;
	__u32 rule;       /* rule id of the denial, else of the permission */
	__u32 audit_rule; /* rule id of the audited denial */
};

/* The entry with the longest match counts. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 524288);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_key);
	__type(value, struct policy_entry);
} policies SEC(".maps");

struct policy_range_key {
	__u32 prefix_length; /* 32 + bits of the 16-byte form */
	__u32 set;
	union address address;
};

/* The peer number under which a range's rules stand; some count for addresses outside the cluster only. */
struct policy_range {
	__u32 inside;
	__u32 outside;
};

/* The longest match counts. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_range_key);
	__type(value, struct policy_range);
} policy_ranges SEC(".maps");

struct question {
	union address remote;
	__u32 peer;     /* its identity */
	__u8 egress;
	__u8 protocol;
	__u16 port;     /* host order */
};

struct answer {
	__u32 flags;      /* POLICY_… found so far */
	__u32 rule;
	__u32 audit_rule;
};

/* Adds what the rules for one peer number say. A denial names the rule; else the first permission does. */
static __always_inline void consult(const struct policy_key *key, struct answer *answer)
{
	const struct policy_entry *entry = bpf_map_lookup_elem(&policies, key);
	__u32 fresh;

	if (!entry)
		return;
	fresh = entry->flags & ~answer->flags;
	if (fresh & POLICY_DENY || (fresh & POLICY_ALLOW && !(answer->flags & POLICY_DENY)))
		answer->rule = entry->rule;
	if (fresh & POLICY_AUDIT_DENY)
		answer->audit_rule = entry->audit_rule;
	answer->flags |= fresh;
}

/*
 * @arg answer rule and audit_rule are filled in: what decided, and what would have denied it; 0 = nothing
 * Returns an enum drop_reason, or 0 = allowed.
 */
static __noinline __u32 judge(const struct endpoint *endpoint, const struct question *question, struct answer *answer)
{
	__u32 egress = question->egress & 1, flags = endpoint->flags;

	answer->flags = 0;
	answer->rule = 0;
	answer->audit_rule = 0;
	if (question->peer == IDENTITY_HOST || is_own(endpoint, &question->remote))
		return 0; /* [1] */
	if (flags & ENDPOINT_CLOSED)
		return DROP_NOT_READY; /* [2] */
	if (flags & ENDPOINT_RULES << egress) {
		struct policy_key key = {
			.prefix_length = (sizeof(key) - sizeof(key.prefix_length)) * 8,
			.set = endpoint->policy_set,
			.peer = question->peer,
			.egress = egress,
			.protocol = question->protocol,
			.port = bpf_htons(question->port),
		};

		consult(&key, answer);
		if (flags & ENDPOINT_RANGES << egress) {
			struct policy_range_key range_key = {
				.prefix_length = (sizeof(range_key) - sizeof(range_key.prefix_length)) * 8,
				.set = endpoint->policy_set,
				.address = question->remote,
			};
			const struct policy_range *range = bpf_map_lookup_elem(&policy_ranges, &range_key);

			key.peer = !range ? 0 : question->peer == IDENTITY_WORLD ? range->outside : range->inside;
			if (key.peer)
				consult(&key, answer);
		}
		key.peer = PEER_ANY;
		consult(&key, answer);
	}
	if (answer->flags & POLICY_DENY)
		return DROP_POLICY_DENY; /* [3] */
	if (!(answer->flags & POLICY_ALLOW) && endpoint->default_deny[egress]) { /* [4] */
		answer->rule = endpoint->default_deny[egress];
		return DROP_POLICY_DENIED; /* [5] */
	}
	if (!answer->audit_rule && !(answer->flags & (POLICY_ALLOW | POLICY_AUDIT_ALLOW)))
		answer->audit_rule = endpoint->audit_default_deny[egress];
	return 0; /* [6] */
}
