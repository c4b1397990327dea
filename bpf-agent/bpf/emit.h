/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Writing records. Counters leave the entry only once the ring has given room, so a record that does not fit loses
 * nothing but its moment: what it would have told is in the connection's next record, and the loss is counted.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "clock.h"
#include "connection.h"
#include "counters.h"
#include "record.h"

/* The agent maps it and reads it on a timer; nobody is ever woken (a wake-up costs the sender 1–4 µs). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 * 1024 * 1024);
} records SEC(".maps");

/*
 * Takes what is untold of one direction, and `more`, into the record's 32-bit fields; what does not fit them stays for the next.
 */
static __always_inline void take_untold(__u64 *untold, __u32 *packets, __u32 *bytes, __u64 more)
{
	__u64 taken = more, whole;

	if (*untold)
		taken += __sync_lock_test_and_set(untold, 0);
	whole = taken & UNTOLD_BYTES;
	if (whole > 0xffffffff) {
		__sync_fetch_and_add(untold, whole - 0xffffffff);
		whole = 0xffffffff;
	}
	*packets = taken >> UNTOLD_PACKETS_SHIFT;
	*bytes = whole;
}

/* ICMP echo replies carry their own type; everything else is told as the original direction's. */
static __always_inline __u16 icmp_type_of(const struct connection *connection, __u32 way)
{
	if (way == REPLY)
		return connection->icmp_type == 8 ? 0 : 129;
	return connection->icmp_type;
}

/* What a packet adds to its connection's counters. */
static __always_inline __u64 counted(const struct packet *packet)
{
	return (__u64)packet->packets << UNTOLD_PACKETS_SHIFT | packet->bytes;
}

/*
 * Counts a packet for a later record. Flags are not added atomically: of two CPUs that bring some at the same moment one may be
 * forgotten, which costs the display of a flag and saves every packet an atomic step.
 */
static __always_inline void leave_untold(const struct packet *packet, struct connection *connection, __u32 way)
{
	way &= 1;
	if (packet->tcp_flags & ~connection->flags[way])
		connection->flags[way] |= packet->tcp_flags;
	__sync_fetch_and_add(&connection->untold[way], counted(packet));
}

/* The part of a record that does not depend on what is untold. Addresses and identities are the packet's. */
static __always_inline void describe(struct flow_record *record, const struct connection_key *key,
				     const struct connection *connection, __u32 trigger, __u32 way)
{
	__u32 outgoing = connection->egress ^ way;
	const union address *source = outgoing ? &key->local : &key->remote;
	const union address *destination = outgoing ? &key->remote : &key->local;

	copy_address(record->source_address, source);
	copy_address(record->destination_address, destination);
	record->source_identity = way ? connection->destination_identity : connection->source_identity;
	record->destination_identity = way ? connection->source_identity : connection->destination_identity;
	record->interface_index = key->interface_index;
	record->endpoint_id = connection->endpoint_id;
	if (key->protocol == PROTOCOL_ICMP || key->protocol == PROTOCOL_ICMPV6) {
		record->source_port = icmp_type_of(connection, way);
		record->destination_port = connection->icmp_code;
	} else {
		record->source_port = outgoing ? key->local_port : key->remote_port;
		record->destination_port = outgoing ? key->remote_port : key->local_port;
	}
	record->protocol = key->protocol;
	record->observation = outgoing ? OBSERVED_TO_STACK : OBSERVED_TO_ENDPOINT;
	record->trigger = trigger;
	record->direction = connection->egress ? DIRECTION_EGRESS : DIRECTION_INGRESS;
	record->reply = connection->unsure ? REPLY_UNKNOWN : way;
	record->verdict = connection->audit_rule_id ? VERDICT_AUDIT : VERDICT_FORWARDED;
	record->drop_reason = 0;
	record->ipv6 = connection->ipv6;
	__builtin_memset(record->reserved0, 0, sizeof(record->reserved0));
	record->rtt_micros = connection->state & STATE_MEASURED ? connection->handshake : 0;
	record->rule_id = connection->rule_id;
	record->policy_revision = connection->policy_revision;
	record->audit_rule_id = connection->audit_rule_id;
	record->service_id = connection->service;
}

static __always_inline void count_ring_full(__u32 trigger)
{
	struct datapath_counters *own = own_counters();

	if (own)
		count(&own->ring_full[trigger & (TRIGGER_COUNT - 1)]);
}

/* Takes everything untold into the record, and with it the packet's own share, if there is a packet. */
static __always_inline void take(struct flow_record *record, struct connection *connection, const struct packet *packet,
				 __u32 way)
{
	way &= 1;
	record->tcp_flags = connection->flags[way] | (packet ? packet->tcp_flags : 0);
	if (connection->flags[way])
		connection->flags[way] = 0;
	take_untold(&connection->untold[ORIGINAL], &record->packets_original, &record->bytes_original,
		    packet && way == ORIGINAL ? counted(packet) : 0);
	take_untold(&connection->untold[REPLY], &record->packets_reply, &record->bytes_reply,
		    packet && way == REPLY ? counted(packet) : 0);
	record->retransmits = 0;
	if (connection->retransmits)
		record->retransmits = __sync_lock_test_and_set(&connection->retransmits, 0);
}

/* The record of a packet that travels `way`, which is counted by it: in the record, or untold when the ring is full. Not static for the verifier's sake. */
__noinline int emit(const struct packet *packet, struct connection *connection, __u32 trigger, __u32 way)
{
	struct datapath_state *revisions;
	struct flow_record *record;
	__u32 zero = 0;

	if (!packet || !connection) /* never; the verifier wants to see it */
		return 0;
	way &= 1;
	record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	connection->last_record = ticks_now();
	if (!record) {
		leave_untold(packet, connection, way);
		count_ring_full(trigger);
		return 0;
	}
	revisions = bpf_map_lookup_elem(&state, &zero);
	if (revisions && revisions->identity_revision != connection->identity_revision)
		resolve_identities(&packet->key, connection, revisions->identity_revision);
	record->time = bpf_ktime_get_ns();
	describe(record, &packet->key, connection, trigger, way);
	take(record, connection, packet, way);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/*
 * The record of a connection's first packet.
 * @arg fresh what its entry was made from: nothing is untold there
 * @arg time  its ktime
 */
static __noinline void tell_opening(const struct packet *packet, const struct connection *fresh, __u32 way, __u64 time)
{
	struct flow_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	__u32 trigger = fresh->state & STATE_CLOSED ? TRIGGER_CLOSE : TRIGGER_FIRST_PACKET;
	struct connection *connection;

	if (!record) {
		connection = bpf_map_lookup_elem(&connections, &packet->key);
		if (connection)
			leave_untold(packet, connection, way);
		count_ring_full(trigger);
		return;
	}
	record->time = time;
	describe(record, &packet->key, fresh, trigger, way);
	record->tcp_flags = packet->tcp_flags;
	record->packets_original = way ? 0 : packet->packets;
	record->bytes_original = way ? 0 : packet->bytes;
	record->packets_reply = way ? packet->packets : 0;
	record->bytes_reply = way ? packet->bytes : 0;
	record->retransmits = 0;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

/*
 * The record of a connection by itself: it is over, or long untold. For the sweep, so it looks no prefixes up.
 * Returns 0, or -1 when the ring was full.
 */
static __noinline int emit_rest(const struct connection_key *key, struct connection *connection, __u32 trigger)
{
	struct flow_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	struct datapath_state *revisions;
	__u32 zero = 0;

	connection->last_record = ticks_now();
	if (!record) {
		count_ring_full(trigger);
		return -1;
	}
	revisions = bpf_map_lookup_elem(&state, &zero);
	if (revisions && revisions->identity_revision != connection->identity_revision)
		resolve_exact_identities(key, connection);
	record->time = bpf_ktime_get_ns();
	describe(record, key, connection, trigger, ORIGINAL);
	take(record, connection, 0, ORIGINAL);
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/* Whether the entry holds anything no record has told. */
static __always_inline int has_untold(const struct connection *connection)
{
	return connection->untold[ORIGINAL] || connection->untold[REPLY];
}

/*
 * How the end of a connection that is over is told: what came after its close record, or that it ended at all.
 * Returns an enum trigger, or 0 when all is told.
 */
static __always_inline __u32 end_trigger(const struct connection *connection)
{
	if (connection->state & STATE_CLOSED)
		return has_untold(connection) ? TRIGGER_IDLE_END : 0;
	if ((connection->state & STATE_BOTH_FIN) == STATE_BOTH_FIN)
		return TRIGGER_CLOSE; /* the last acknowledgement was not seen */
	return TRIGGER_IDLE_END;
}
