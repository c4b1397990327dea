/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Policy: may a connection be opened? Answered from the endpoint's policy set, which the agent fills completely before it
 * gives the set's number to an endpoint, and never changes for peers that exist. The order of precedence is
 * core/policy/policy-map.ts's, and docs/datapath.md's:
 *
 *   1. the pod itself: allowed
 *   2. the endpoint's policy is not known yet: denied, but for its own node
 *   3. of what the set holds for the peer's identity, the range its address is in, and everybody, each with the longest
 *      match of protocol and port: deny rules before allow rules before the fallback; of equals the first
 *   4. allowed, and some policies are audited only: the same with those included, to be told and not enforced
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "address.h"
#include "endpoint.h"

#define IDENTITY_HOST 1
/* Peer numbers in `policies` besides identities: everybody; with bit 24 set, a range of addresses. */
#define PEER_ANY 0
/* Set beside bit 24 for the address of a pod or node: not every rule about a range is about those. */
#define PEER_OF_CLUSTER 0x02000000u
#define RULE_NOT_READY 8

/* Hubble's numbers. */
enum drop_reason {
	DROP_INVALID_SOURCE = 132,
	DROP_POLICY_DENIED = 133,   /* no rule allows it */
	DROP_INVALID_PACKET = 134,
	DROP_INVALID_HEADER = 135,  /* transport header */
	DROP_UNROUTABLE = 151,      /* an address of the Service range that no Service owns */
	DROP_INVALID_EXTENSION = 156,
	DROP_NO_SERVICE_BACKEND = 158,
	DROP_NO_NAT_MAPPING = 167,  /* no port is free to stand in for a client */
	DROP_FRAGMENT_UNKNOWN = 175,
	DROP_SOURCE_RANGE = 177,    /* a client outside of loadBalancerSourceRanges */
	DROP_POLICY_DENY = 181,     /* a rule denies it */
	DROP_NOT_READY = 203,
};

struct policy_key {
	__u32 prefix_length; /* bits of what follows: 72 = any protocol, 80 + n = n bits of the port */
	__u32 set;
	__u32 peer;
	__u8 layer;          /* enum policy_layer + egress */
	__u8 protocol;
	__be16 port;         /* of the server; ICMP: the type */
};

enum policy_layer {
	LAYER_ENFORCED = 0,
	LAYER_AUDITED = 2, /* with audited policies included */
};

struct policy_entry {
	__u32 rule;       /* what the verdict is for */
	__u8 precedence;  /* never 0; the greatest holds */
	__u8 drop_reason; /* enum drop_reason; 0 = allowed */
	__u16 reserved;
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

/* Range → its peer number; 0 = none. The longest match counts. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct policy_range_key);
	__type(value, __u32);
} policy_ranges SEC(".maps");

struct question {
	union address remote;
	__u32 peer;     /* its identity */
	__u8 egress;
	__u8 protocol;
	__u16 port;     /* host order */
};

struct answer {
	__u32 rule;
	__u32 audit_rule;
};

/* Looks the set up for one peer number, and takes what it finds if it precedes what was found before. */
static __always_inline void consult(const struct policy_key *key, struct policy_entry *holds)
{
	const struct policy_entry *entry = bpf_map_lookup_elem(&policies, key);

	if (entry && entry->precedence > holds->precedence)
		*holds = *entry;
}

static __always_inline void ask_layer(struct policy_key *key, __u32 peer, __u32 range, struct policy_entry *holds)
{
	holds->precedence = 0;
	key->peer = peer;
	consult(key, holds);
	if (range) {
		key->peer = range;
		consult(key, holds);
	}
	key->peer = PEER_ANY;
	consult(key, holds);
}

/*
 * @arg answer filled in: what decided, and what would have denied it; 0 = nothing
 * Returns an enum drop_reason, or 0 = allowed.
 */
static __noinline __u32 judge(const struct endpoint *endpoint, const struct question *question, struct answer *answer)
{
	struct policy_entry holds = {};
	struct policy_key key = {
		.prefix_length = (sizeof(key) - sizeof(key.prefix_length)) * 8,
		.set = endpoint->policy_set,
		.layer = LAYER_ENFORCED + question->egress,
		.protocol = question->protocol,
		.port = bpf_htons(question->port),
	};
	__u32 flags = endpoint->flags, range = 0;

	answer->rule = 0;
	answer->audit_rule = 0;
	if (is_own(endpoint, &question->remote))
		return 0; /* [1] */
	if (flags & ENDPOINT_CLOSED) {
		answer->rule = RULE_NOT_READY;
		return question->peer == IDENTITY_HOST ? 0 : DROP_NOT_READY; /* [2] */
	}
	if (!(flags & (ENDPOINT_ENFORCED | ENDPOINT_AUDITED) << question->egress))
		return 0;
	if (flags & ENDPOINT_RANGES) {
		struct policy_range_key range_key = {
			.prefix_length = (sizeof(range_key) - sizeof(range_key.prefix_length)) * 8,
			.set = endpoint->policy_set,
			.address = question->remote,
		};
		const __u32 *found = bpf_map_lookup_elem(&policy_ranges, &range_key);

		if (found && *found)
			range = question->peer == IDENTITY_WORLD ? *found : *found | PEER_OF_CLUSTER;
	}
	if (flags & ENDPOINT_ENFORCED << question->egress) {
		ask_layer(&key, question->peer, range, &holds); /* [3] */
		answer->rule = holds.rule;
		if (!holds.precedence)
			return DROP_NOT_READY; /* never: every set has a fallback */
		if (holds.drop_reason)
			return holds.drop_reason;
	}
	if (flags & ENDPOINT_AUDITED << question->egress) {
		key.layer = LAYER_AUDITED + question->egress;
		ask_layer(&key, question->peer, range, &holds); /* [4] */
		if (holds.precedence && holds.drop_reason)
			answer->audit_rule = holds.rule;
	}
	return 0;
}
