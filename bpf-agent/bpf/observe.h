/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One packet at one hook: count it into its connection, and say so when there is something to say. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "conntrack.h"
#include "drop.h"
#include "enforce.h"
#include "counters.h"
#include "emit.h"
#include "parse.h"
#include "related.h"

/* What forces a record: well before the record's 32-bit field of bytes, or our 24 bits of packets, could overflow. */
#define UNTOLD_BYTES_LIMIT (1ULL << 31)
#define UNTOLD_PACKETS_LIMIT (1ULL << 22)

/* Segments the sending socket has sent again, where the packet still knows its socket (the sender's own node). */
static __always_inline void count_retransmits(struct __sk_buff *skb, struct connection *connection, __u32 way)
{
	struct bpf_sock *socket = skb->sk;
	struct bpf_tcp_sock *tcp;
	__u32 total, seen;

	if (!socket)
		return;
	tcp = bpf_tcp_sock(socket);
	if (!tcp)
		return;
	total = tcp->total_retrans;
	seen = connection->retransmits_seen[way & 1];
	if (total == seen)
		return;
	if (seen != RETRANSMITS_UNKNOWN && total > seen)
		__sync_fetch_and_add(&connection->retransmits, total - seen);
	connection->retransmits_seen[way & 1] = total;
}

/*
 * The handshake's round trip as this hook sees it: from the opener's SYN to its first acknowledgement.
 * @arg before state without this packet
 */
static __always_inline void measure_handshake(struct connection *connection, const struct packet *packet, __u32 before)
{
	__u64 micros;

	if (!(before & STATE_SEEN << REPLY)) {
		if (packet->tcp_flags & TCP_SYN && before)
			connection->opened = bpf_ktime_get_ns(); /* sent again: measure from the latest */
		return;
	}
	if (!(packet->tcp_flags & TCP_ACK) || before & STATE_MEASURED)
		return;
	if ((before & (STATE_SYN * 3)) == STATE_SYN * 3) {
		micros = (bpf_ktime_get_ns() - connection->opened) / 1000;
		connection->rtt_micros = micros ? micros : 1;
	}
	__sync_fetch_and_or(&connection->state, STATE_MEASURED);
}

/* State bits this packet brings. */
static __always_inline __u32 state_of(const struct packet *packet, struct connection *connection, __u32 way)
{
	__u32 bits = STATE_SEEN << way, before = connection->state;

	if (packet->chunk == CHUNK_CLOSE)
		return bits | STATE_CLOSED;
	if (packet->key.protocol != PROTOCOL_TCP)
		return bits;
	if (packet->tcp_flags & TCP_SYN)
		bits |= STATE_SYN << way;
	if (packet->tcp_flags & TCP_RST)
		bits |= STATE_RST << way | STATE_CLOSED;
	if (packet->tcp_flags & TCP_FIN) {
		bits |= STATE_FIN << way;
		if (before & STATE_FIN << !way && !(before & STATE_FIN << way)) {
			connection->fin_acknowledged = packet->sequence;
			bits |= STATE_FIN_SECOND << way;
		}
	} else if (before & STATE_FIN_SECOND << !way && packet->tcp_flags & TCP_ACK &&
		   (__s32)(packet->acknowledged - connection->fin_acknowledged) >= 0) {
		bits |= STATE_CLOSED;
	}
	return bits;
}

/*
 * What the packet gives cause to tell. The strongest cause wins:
 *   1. the connection closed
 *   2. first packet of its direction
 *   3. SYN, RST or the first FIN newly seen in its direction (the second FIN is told by the close)
 *   4. much, or for long, untold
 * After the close nothing is told until the sweep.
 * Returns an enum trigger, or 0.
 */
static __always_inline __u32 cause_of(struct connection *connection, __u32 before, __u32 fresh, __u32 way, __u64 now)
{
	__u64 last;

	if (before & STATE_CLOSED)
		return 0;
	if (fresh & STATE_CLOSED)
		return TRIGGER_CLOSE; /* [1] */
	if (fresh & STATE_SEEN << way)
		return TRIGGER_FIRST_PACKET; /* [2] */
	if (fresh & (STATE_SYN | STATE_RST) << way)
		return TRIGGER_FLAG_CHANGE; /* [3] */
	if (fresh & STATE_FIN << way && !(fresh & STATE_FIN_SECOND << way))
		return TRIGGER_FLAG_CHANGE; /* [3] */
	if (!settings.record_interval)
		return TRIGGER_INTERVAL; /* [4] */
	last = connection->last_record;
	if (now > last && now - last >= settings.record_interval) {
		/* Whoever moves the time first tells. */
		if (__sync_val_compare_and_swap(&connection->last_record, last, now) == last)
			return TRIGGER_INTERVAL; /* [4] */
	}
	return 0;
}

static __always_inline void track(struct __sk_buff *skb, struct packet *packet, struct datapath_counters *own)
{
	const struct connection_key *key = &packet->key;
	struct connection *connection;
	struct datapath_state *revisions;
	__u32 zero = 0, way, bits, before, fresh, flags, trigger;
	__u64 now = table_now(), untold;

	if (packet->embedded) {
		judge_error(skb, packet);
		if (packet->drop_reason)
			return;
	}
	connection = bpf_map_lookup_elem(&connections, key);
	if (connection && reopens(packet, connection, now)) {
		trigger = end_trigger(connection);
		if (!trigger || emit(key, connection, trigger, ORIGINAL) == 0) {
			bpf_map_delete_elem(&connections, key);
			own->connections_ended++;
			connection = 0;
		} else {
			connection->state = 0; /* starts anew in place; what could not be told is told with it */
		}
	}
	if (!connection) {
		__u8 unsure = 0;
		int reply = starts_as_reply(packet, &unsure);
		__u32 how = (packet->outgoing ^ reply ? OPENS_EGRESS : 0) | (unsure ? OPENS_UNSURE : 0);

		if (packet->tcp_flags & TCP_SYN)
			how |= OPENS_SEEN;
		connection = open_connection(packet, how);
		if (!connection) {
			if (!packet->drop_reason)
				own->connections_refused++;
			return;
		}
	}
	revisions = bpf_map_lookup_elem(&state, &zero);
	if (revisions && revisions->policy_revision != connection->policy_revision)
		judge_again(key, connection, revisions);
	if (connection->drop_reason && !packet->admitted) {
		packet->drop_reason = connection->drop_reason;
		tell_drop(packet, connection);
		return;
	}

	way = (connection->egress ^ packet->outgoing) & 1;
	connection->last_seen[way] = now;
	untold = __sync_fetch_and_add(&connection->untold[way],
				      (__u64)packet->packets << UNTOLD_PACKETS_SHIFT | packet->bytes);

	before = connection->state;
	bits = state_of(packet, connection, way);
	fresh = bits & ~before;
	if (packet->key.protocol == PROTOCOL_TCP) {
		flags = (__u32)packet->tcp_flags << (way * 8);
		if (flags & ~connection->flags)
			__sync_fetch_and_or(&connection->flags, flags);
		if (way == ORIGINAL && !(before & STATE_MEASURED))
			measure_handshake(connection, packet, before);
		count_retransmits(skb, connection, way);
	}
	if (fresh) {
		/* Two CPUs may bring the same bits: the one that set them tells. */
		before = __sync_fetch_and_or(&connection->state, bits);
		fresh = bits & ~before;
	}
	trigger = cause_of(connection, before, fresh, way, now);
	if (!trigger && ((untold & UNTOLD_BYTES) >= UNTOLD_BYTES_LIMIT ||
			 untold >> UNTOLD_PACKETS_SHIFT >= UNTOLD_PACKETS_LIMIT))
		trigger = TRIGGER_INTERVAL;
	if (trigger)
		emit(key, connection, trigger, way);
}

static __noinline void refuse_unparsed(struct packet *packet, __u32 unparsed, struct datapath_counters *own)
{
	struct connection nobody = { .egress = packet->outgoing };

	own->unparsed[unparsed & (UNPARSED_COUNT - 1)]++;
	packet->drop_reason = unparsed_reason(packet->key.interface_index, unparsed);
	if (packet->drop_reason)
		tell_drop(packet, &nobody);
}

/*
 * @arg outgoing the packet leaves the endpoint
 * What policy does not drop goes on to the next program on the hook.
 */
static __always_inline int observe(struct __sk_buff *skb, const int outgoing)
{
	struct datapath_counters *own = own_counters();
	struct packet packet = { .outgoing = outgoing };
	__u32 result;

	if (!own)
		return TCX_NEXT;
	own->packets++;
	result = parse(skb, &packet);
	if (result == PARSE_FLOW)
		track(skb, &packet, own);
	else if (result == PARSE_IGNORED)
		own->ignored++;
	else if (result == PARSE_NOT_IP)
		own->not_ip++;
	else
		refuse_unparsed(&packet, result & (UNPARSED_COUNT - 1), own);
	return packet.drop_reason ? TC_ACT_SHOT : TCX_NEXT;
}
