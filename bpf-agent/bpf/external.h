/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Services for clients outside the cluster: what comes in at the node's uplink for a node port, an external address or a
 * load-balancer's is sent on to a backend, and what the backend answers goes back under the Service's address.
 *
 *   backend on this node   the destination is exchanged, the client's address stays; the stack forwards
 *   backend elsewhere      the node stands in for the client, with a port of its own, so that answers come back through it; the
 *                          packet is sent on from here, as the stack takes none from outside that bears the node's own address
 *
 * A connection has two entries, one per direction. Each says what its packets become, and the two make each other: what is read
 * backwards in one is the key of the other.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "address.h"
#include "packet.h"
#include "service.h"

/* Bits of service.flags in `external_services`, beside SERVICE_MAGLEV. */
#define SERVICE_RANGES 0x2u    /* only clients in `external_ranges` */
#define SERVICE_NODE_PORT 0x4u /* the address is the node's own */
#define SERVICE_LOCAL 0x8u     /* only backends of this node are in its set */

/* Frontends that clients outside may ask for; its set may be another than in `services`. Inserted and deleted by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct service_key);
	__type(value, struct service);
} external_services SEC(".maps");

struct external_range_key {
	__u32 prefix_length; /* 32 + bits of the 16-byte form */
	__u32 service;
	union address address;
};

/* Ranges of clients by Service (loadBalancerSourceRanges). Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct external_range_key);
	__type(value, __u32);
} external_ranges SEC(".maps");

struct uplink {
	union address own[2]; /* the node's, IPv4 and IPv6, under which it stands in for clients; ::0 = none */
	__u16 first_port;     /* ports it takes for that, which no socket of the node is given; host order */
	__u16 ports;          /* how many; 0 = not set up yet */
	__u32 reserved;
};

/* One entry. Written by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct uplink);
} uplink SEC(".maps");

/* A packet's ends. */
struct external_key {
	union address source;
	union address destination;
	__be16 source_port;
	__be16 destination_port;
	__u8 protocol;
	__u8 reserved[3];
};

struct external_connection {
	union address source; /* what the packet's ends become */
	union address destination;
	__be16 source_port;
	__be16 destination_port;
	__u32 last_seen;      /* ticks, of either direction, at most a second behind */
	__u32 state;          /* STATE_…, of both directions */
	__u32 service;        /* id of the frontend */
	__u32 backend;
	__u8 way;             /* ORIGINAL = from the client, or REPLY */
	__u8 masked;          /* 1 = the node stands in for the client */
	__u8 reserved[2];
};

/* Inserted by the programs, deleted by the sweep (or evicted). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct external_key);
	__type(value, struct external_connection);
} external_connections SEC(".maps");

enum { EXTERNAL_ENTERED = 0, EXTERNAL_LEFT = 1 };

/*
 * Entries of `external_connections` that were made, and that were deleted: what is in neither the difference nor the map was
 * evicted. Written by the programs, read by the agent.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} external_counts SEC(".maps");

/* Atomic, because the sweep runs in process context, where a packet's softirq may come between. */
static __noinline void count_external(__u32 which)
{
	__u64 *counted = bpf_map_lookup_elem(&external_counts, &which);

	if (counted)
		__sync_fetch_and_add(counted, 1);
}

static __always_inline void external_key_of(struct external_key *key, const struct packet *packet)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->source = packet->outgoing ? packet->key.local : packet->key.remote;
	key->destination = packet->outgoing ? packet->key.remote : packet->key.local;
	key->source_port = bpf_htons(source_port(packet));
	key->destination_port = bpf_htons(destination_port(packet));
	key->protocol = packet->key.protocol;
}

/* The key of the other direction. */
static __always_inline void external_key_back(struct external_key *back, const struct external_key *key,
					      const struct external_connection *entry)
{
	__builtin_memset(back, 0, sizeof(*back));
	back->source = entry->destination;
	back->destination = entry->source;
	back->source_port = entry->destination_port;
	back->destination_port = entry->source_port;
	back->protocol = key->protocol;
}

/* The entry of the other direction. */
static __always_inline void external_entry_back(struct external_connection *back, const struct external_key *key,
						const struct external_connection *entry)
{
	*back = *entry;
	back->source = key->destination;
	back->destination = key->source;
	back->source_port = key->destination_port;
	back->destination_port = key->source_port;
	back->way = !entry->way;
}

/* The Service that a client outside asked for, where its connection comes in at a pod of this node; 0 = none. */
static __noinline __u32 external_service_of(const struct packet *packet)
{
	struct external_key key = {
		.source = packet->key.local,
		.destination = packet->key.remote,
		.source_port = bpf_htons(packet->key.local_port),
		.destination_port = bpf_htons(packet->key.remote_port),
		.protocol = packet->key.protocol,
	};
	const struct external_connection *entry = bpf_map_lookup_elem(&external_connections, &key);

	return entry ? entry->service : 0;
}
