/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Address → security identity: exact match first (24 ns), then the longest CIDR (about 100 ns), else the world. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "address.h"

#define IDENTITY_WORLD 2
/* Identities of pods begin here; below are reserved ones and ranges of addresses. */
#define IDENTITY_OF_PODS 0x40000000u

struct prefix_key {
	__u32 prefix_length; /* bits of the 16-byte form: an IPv4 /n is 96 + n */
	union address address;
};

struct datapath_state {
	__u32 identity_revision; /* bumped by the agent after it changed endpoints or identities */
	__u32 policy_revision;   /* bumped by the agent after it changed policy */
};

/* Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, union address);
	__type(value, __u32);
} identities SEC(".maps");

/* Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, __u32);
} prefixes SEC(".maps");

/* One entry. Written by the agent, read by the programs when they write a record. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct datapath_state);
} state SEC(".maps");

/* Returns the identity of exactly this address, or 0. */
static __always_inline __u32 exact_identity_of(const union address *address)
{
	__u32 *identity = bpf_map_lookup_elem(&identities, address);

	return identity ? *identity : 0;
}

static __noinline __u32 identity_of(const union address *address)
{
	struct prefix_key key = { .prefix_length = 128 };
	__u32 identity, *prefix;

	key.address = *address;
	identity = exact_identity_of(&key.address);
	if (identity)
		return identity;
	prefix = bpf_map_lookup_elem(&prefixes, &key);
	return prefix ? *prefix : IDENTITY_WORLD;
}
