/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The pods of this node: which interface belongs to which endpoint, and which policy it is under. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "address.h"

/* Bits of endpoint.flags. A pair of bits is one per direction: BIT << direction. 0 = no policy in the cluster. */
#define ENDPOINT_ENFORCED 0x01u /* pair: its policy set has something to say about this direction */
#define ENDPOINT_AUDITED 0x04u  /* pair: so have policies that are audited only */
#define ENDPOINT_RANGES 0x10u   /* some of it is about ranges of addresses */
#define ENDPOINT_GUARDED 0x20u  /* malformed packets and foreign source addresses are dropped */
#define ENDPOINT_CLOSED 0x40u   /* its policy is not known yet: nothing passes but its own node's traffic */

struct endpoint {
	__u32 id;             /* node-local endpoint number, never 0 */
	__u32 identity;       /* security identity of the pod's label set */
	__u32 policy_set;     /* whose entries of `policies` it is under; 0 = none */
	__u32 flags;          /* ENDPOINT_… */
	union address own[2]; /* its addresses, IPv4 and IPv6; ::0 = none */
};

/* Key: interface index of the host side of the pod's veth. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct endpoint);
} endpoints SEC(".maps");

static __always_inline int same_address(const union address *a, const union address *b)
{
	return a->words[3] == b->words[3] && a->words[2] == b->words[2] && a->words[1] == b->words[1] &&
	       a->words[0] == b->words[0];
}

static __always_inline int is_own(const struct endpoint *endpoint, const union address *address)
{
	return same_address(&endpoint->own[0], address) || same_address(&endpoint->own[1], address);
}
