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
 * Takes what is untold of one direction into the record's 32-bit fields; what does not fit them stays for the next one.
 */
static __always_inline void take_untold(__u64 *untold, __u32 *packets, __u32 *bytes)
{
	__u64 taken = 0, whole;

	if (*untold)
		taken = __sync_lock_test_and_set(untold, 0);
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

/*
 * @arg trigger  enum trigger
 * @arg way      direction in which the record tells the connection: the packet's, or ORIGINAL for the sweep
 * @arg sweeping called by the sweep
 * Returns 0, or -1 when the ring was full.
 */
static __always_inline int write_record(const struct connection_key *key, struct connection *connection,
					__u32 trigger, __u32 way, const int sweeping)
{
	struct flow_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);
	struct datapath_state *revisions;
	__u32 zero = 0, outgoing;
	union address source, destination;

	connection->last_record = table_now();
	if (!record) {
		struct datapath_counters *own = own_counters();

		if (own)
			count(&own->ring_full[trigger & (TRIGGER_COUNT - 1)]);
		return -1;
	}

	revisions = bpf_map_lookup_elem(&state, &zero);
	if (revisions && revisions->identity_revision != connection->identity_revision) {
		if (sweeping)
			resolve_exact_identities(key, connection);
		else
			resolve_identities(key, connection, revisions->identity_revision);
	}

	outgoing = connection->egress ^ way;
	source = outgoing ? key->local : key->remote;
	destination = outgoing ? key->remote : key->local;
	record->time = bpf_ktime_get_ns();
	__builtin_memcpy(record->source_address, &source, 16);
	__builtin_memcpy(record->destination_address, &destination, 16);
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
	record->tcp_flags = 0;
	if (connection->flags >> (way * 8) & 0xff)
		record->tcp_flags = __sync_fetch_and_and(&connection->flags, way ? 0x00ff : 0xff00) >> (way * 8);
	take_untold(&connection->untold[ORIGINAL], &record->packets_original, &record->bytes_original);
	take_untold(&connection->untold[REPLY], &record->packets_reply, &record->bytes_reply);
	record->rtt_micros = connection->rtt_micros;
	record->retransmits = 0;
	if (connection->retransmits)
		record->retransmits = __sync_lock_test_and_set(&connection->retransmits, 0);
	record->rule_id = connection->rule_id;
	record->policy_revision = connection->policy_revision;
	record->audit_rule_id = connection->audit_rule_id;
	__builtin_memset(record->reserved1, 0, sizeof(record->reserved1));
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

/* On behalf of a packet that travels `way`. Returns as write_record. */
static __noinline int emit(const struct connection_key *key, struct connection *connection, __u32 trigger, __u32 way)
{
	return write_record(key, connection, trigger, way, 0);
}

/* On behalf of the sweep. Returns as write_record. */
static __noinline int emit_from_sweep(const struct connection_key *key, struct connection *connection, __u32 trigger)
{
	return write_record(key, connection, trigger, ORIGINAL, 1);
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
