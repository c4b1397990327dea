/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Telling what was dropped: a record each up to a rate per endpoint, peer, port and reason, then counted, and the count
 * told with the next record. No connection is remembered for what was denied from the start.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "clock.h"
#include "connection.h"
#include "counters.h"
#include "emit.h"
#include "packet.h"
#include "policy.h"

/* Records per key and second. */
#define DROP_RECORDS 10
/* A key that is silent for this long is forgotten. */
#define DROP_MEMORY (30 * SECONDS)

struct drop_key {
	union address remote;
	__u32 interface_index;
	__u16 port;      /* of the server, host order; ICMP: type */
	__u8 protocol;
	__u8 reason;     /* enum drop_reason */
	__u8 egress;     /* the connection's direction as the endpoint sees it */
	__u8 outgoing;   /* the packet's */
	__u16 reserved;
};

struct drop {
	__u64 window;    /* table clock: start of the second in which `told` counts */
	__u64 untold;    /* UNTOLD_… */
	union address local;
	__u32 told;
	/* What else the latest one's record says. */
	__u32 local_identity;
	__u32 remote_identity;
	__u32 endpoint_id;
	__u32 rule_id;
	__u32 policy_revision;
	__u16 source_port;
	__u16 destination_port;
	__u8 tcp_flags;
	__u8 reply;      /* enum reply */
	__u8 ipv6;
	__u8 reserved;
	__u32 service;
};

/* Inserted by the programs, deleted by the sweep (or evicted). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct drop_key);
	__type(value, struct drop);
} drops SEC(".maps");

/* One entry, never written: what new entries of `drops` begin as. The stack has no room for it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct drop);
} no_drop SEC(".maps");

static __noinline void write_drop(const struct drop_key *key, struct drop *drop)
{
	struct flow_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	__u32 outgoing = key->outgoing;
	union address source, destination;

	if (!record) {
		struct datapath_counters *own = own_counters();

		if (own)
			count(&own->ring_full[TRIGGER_DROP]);
		return;
	}
	source = outgoing ? drop->local : key->remote;
	destination = outgoing ? key->remote : drop->local;
	__builtin_memset(record, 0, sizeof(*record));
	record->time = bpf_ktime_get_ns();
	__builtin_memcpy(record->source_address, &source, 16);
	__builtin_memcpy(record->destination_address, &destination, 16);
	record->source_identity = outgoing ? drop->local_identity : drop->remote_identity;
	record->destination_identity = outgoing ? drop->remote_identity : drop->local_identity;
	record->interface_index = key->interface_index;
	record->endpoint_id = drop->endpoint_id;
	record->source_port = drop->source_port;
	record->destination_port = drop->destination_port;
	record->protocol = key->protocol;
	record->tcp_flags = drop->tcp_flags;
	record->observation = outgoing ? OBSERVED_TO_STACK : OBSERVED_TO_ENDPOINT;
	record->trigger = TRIGGER_DROP;
	record->direction = key->egress ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	record->reply = drop->reply;
	record->verdict = VERDICT_DROPPED;
	record->drop_reason = key->reason;
	record->ipv6 = drop->ipv6;
	if (drop->reply == REPLY_YES)
		take_untold(&drop->untold, &record->packets_reply, &record->bytes_reply, 0);
	else
		take_untold(&drop->untold, &record->packets_original, &record->bytes_original, 0);
	record->rule_id = drop->rule_id;
	record->policy_revision = drop->policy_revision;
	record->service_id = drop->service;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline void count_drop(const struct packet *packet)
{
	struct datapath_counters *own = own_counters();
	__u32 dropped = DROPPED_INVALID_PACKET;

	if (packet->drop_reason == DROP_POLICY_DENIED)
		dropped = DROPPED_POLICY_DENIED;
	else if (packet->drop_reason == DROP_POLICY_DENY)
		dropped = DROPPED_POLICY_DENY;
	else if (packet->drop_reason == DROP_INVALID_SOURCE)
		dropped = DROPPED_INVALID_SOURCE;
	else if (packet->drop_reason == DROP_NOT_READY)
		dropped = DROPPED_NOT_READY;
	else if (packet->drop_reason == DROP_UNROUTABLE)
		dropped = DROPPED_UNROUTABLE;
	else if (packet->drop_reason == DROP_NO_SERVICE_BACKEND)
		dropped = DROPPED_NO_SERVICE_BACKEND;
	else if (packet->drop_reason == DROP_SOURCE_RANGE)
		dropped = DROPPED_SOURCE_RANGE;
	if (own)
		own->dropped[dropped] += packet->packets;
}

static __always_inline void describe_drop(struct drop *drop, const struct packet *packet,
					  const struct connection *connection, __u32 way)
{
	drop->local = packet->key.local;
	drop->local_identity = connection->egress ? connection->source_identity : connection->destination_identity;
	drop->remote_identity = connection->egress ? connection->destination_identity : connection->source_identity;
	drop->endpoint_id = connection->endpoint_id;
	drop->rule_id = connection->rule_id;
	drop->policy_revision = connection->policy_revision;
	drop->service = connection->service;
	if (packet->key.protocol == PROTOCOL_ICMP || packet->key.protocol == PROTOCOL_ICMPV6) {
		drop->source_port = packet->icmp_type;
		drop->destination_port = packet->icmp_code;
	} else {
		drop->source_port = source_port(packet);
		drop->destination_port = destination_port(packet);
	}
	drop->tcp_flags = packet->tcp_flags;
	drop->reply = connection->unsure ? REPLY_UNKNOWN : way;
	drop->ipv6 = packet->ipv6;
}

/*
 * A packet that is dropped for packet->drop_reason.
 * @arg connection its entry, or what its entry would have been
 */
__noinline int tell_drop(const struct packet *packet, const struct connection *connection)
{
	struct drop_key key = {};
	__u64 now = table_now();
	struct drop *drop;
	__u32 zero = 0, way;

	if (!packet || !connection) /* never; the verifier wants to see it */
		return 0;
	way = (connection->egress ^ packet->outgoing) & 1;
	key.remote = packet->key.remote;
	key.interface_index = packet->key.interface_index;
	key.protocol = packet->key.protocol;
	key.reason = packet->drop_reason;
	key.egress = connection->egress;
	key.outgoing = packet->outgoing;
	count_drop(packet);
	if (key.protocol == PROTOCOL_ICMP || key.protocol == PROTOCOL_ICMPV6)
		key.port = packet->icmp_type;
	else
		key.port = connection->egress ? packet->key.remote_port : packet->key.local_port;
	drop = bpf_map_lookup_elem(&drops, &key);
	if (!drop) {
		drop = bpf_map_lookup_elem(&no_drop, &zero);
		if (!drop)
			return 0;
		bpf_map_update_elem(&drops, &key, drop, BPF_NOEXIST);
		drop = bpf_map_lookup_elem(&drops, &key);
		if (!drop)
			return 0;
	}
	describe_drop(drop, packet, connection, way);
	__sync_fetch_and_add(&drop->untold, (__u64)packet->packets << UNTOLD_PACKETS_SHIFT | packet->bytes);
	if (now - drop->window >= SECONDS) {
		drop->window = now;
		drop->told = 0;
	}
	if (drop->told < DROP_RECORDS) {
		drop->told++;
		write_drop(&key, drop);
	}
	return 0;
}

struct bpf_map;

/* Part of the sweep: tells what was only counted, and forgets what has stopped. */
static long sweep_drop(struct bpf_map *map, const struct drop_key *key, struct drop *drop, __u64 *now)
{
	__u64 since = *now > drop->window ? *now - drop->window : 0;

	if (since < SECONDS)
		return 0;
	if (drop->untold)
		write_drop(key, drop);
	else if (since > DROP_MEMORY)
		bpf_map_delete_elem(map, key);
	return 0;
}
