/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One packet at one hook: count it into its connection, and say so when there is something to say. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "conntrack.h"
#include "counters.h"
#include "dns-sample.h"
#include "drop.h"
#include "emit.h"
#include "enforce.h"
#include "likely.h"
#include "parse.h"
#include "plain.h"
#include "related.h"
#include "tcp.h"

/*
 * Bits of `untold` that force a record: 2^31 bytes or 2^22 packets, well before the record's 32-bit field of bytes, or our 24
 * bits of packets, could overflow.
 */
#define UNTOLD_MUCH (0x1ffULL << 31 | 3ULL << 62)

/*
 * What the packet gives cause to tell. The strongest cause wins:
 *   1. the connection closed
 *   2. first packet of its direction
 *   3. SYN, RST or the first FIN newly seen in its direction (the second FIN is told by the close)
 *   4. much, or for long, untold
 * After the close nothing is told until the sweep, but for [4] much.
 * Returns an enum trigger, or 0.
 */
static __always_inline __u32 cause_of(struct connection *connection, __u32 before, __u32 fresh, __u32 way, __u32 now)
{
	__u32 last;

	if (unlikely(connection->untold[way & 1] & UNTOLD_MUCH) && !fresh)
		return TRIGGER_INTERVAL; /* [4] */
	if (unlikely(before & STATE_CLOSED))
		return 0;
	if (unlikely(fresh)) {
		if (fresh & STATE_CLOSED)
			return TRIGGER_CLOSE; /* [1] */
		if (fresh & STATE_SEEN << way)
			return TRIGGER_FIRST_PACKET; /* [2] */
		if (fresh & (STATE_SYN | STATE_RST) << way)
			return TRIGGER_FLAG_CHANGE; /* [3] */
		if (fresh & STATE_FIN << way && !(fresh & STATE_FIN_SECOND << way))
			return TRIGGER_FLAG_CHANGE; /* [3] */
	}
	if (unlikely(!settings.record_interval))
		return TRIGGER_INTERVAL; /* [4] */
	last = connection->last_record;
	if (unlikely(elapsed(last, now) >= settings.record_interval)) {
		/* Whoever moves the time first tells. */
		if (__sync_val_compare_and_swap(&connection->last_record, last, now) == last)
			return TRIGGER_INTERVAL; /* [4] */
	}
	return 0;
}

/* Counts the packet into an entry that stands, and tells what there is cause to tell. */
static __always_inline void count_packet(struct __sk_buff *skb, const struct packet *packet, struct connection *connection)
{
	__u32 way = (connection->egress ^ packet->outgoing) & 1;
	__u32 before = connection->state, fresh, trigger, now = ticks_now();

	connection->last_seen = now;
	fresh = fresh_state(packet, connection, way, before);
	if (packet->key.protocol == PROTOCOL_TCP) {
		if (way == ORIGINAL && !(before & STATE_MEASURED))
			measure_handshake(connection, packet, before);
		follow_sequence(skb, connection, packet, way, fresh & STATE_SEEN << way);
	} else if (unlikely(may_answer_dns(packet, connection, way))) {
		sample_dns(skb, packet, connection);
	}
	if (unlikely(fresh)) {
		/* Two CPUs may bring the same bits: the one that set them tells. */
		before = __sync_fetch_and_or(&connection->state, fresh);
		fresh &= ~before;
	}
	trigger = cause_of(connection, before, fresh, way, now);
	if (unlikely(trigger))
		emit(packet, connection, trigger, way);
	else
		leave_untold(packet, connection, way);
}

static __always_inline void track(struct __sk_buff *skb, struct packet *packet, struct datapath_counters *own)
{
	const struct connection_key *key = &packet->key;
	struct connection *connection;
	struct datapath_state *revisions;
	__u32 zero = 0;

	if (unlikely(packet->embedded)) {
		judge_error(skb, packet);
		if (packet->drop_reason)
			return;
	}
	connection = bpf_map_lookup_elem(&connections, key);
	if (connection && unlikely(opens_anew(packet)) && is_over(packet, connection))
		connection = end_connection(packet, connection);
	if (unlikely(!connection)) {
		if (open_connection(skb, packet))
			return;
		connection = bpf_map_lookup_elem(&connections, key);
		if (!connection)
			return;
	}
	revisions = bpf_map_lookup_elem(&state, &zero);
	if (revisions && unlikely(revisions->policy_revision != connection->policy_revision))
		judge_again(key, connection, revisions);
	if (unlikely(connection->drop_reason) && !packet->admitted) {
		packet->drop_reason = connection->drop_reason;
		tell_drop(packet, connection);
		return;
	}
	count_packet(skb, packet, connection);
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

	if (unlikely(!own))
		return TCX_NEXT;
	own->packets++;
	packet.bytes = skb->len - ETH_HLEN;
	packet.packets = skb->gso_segs ? skb->gso_segs : 1;
	packet.key.interface_index = skb->ifindex;
	result = parse_plain(skb, &packet, outgoing) ? PARSE_FLOW : parse(skb, &packet);
	if (likely(result == PARSE_FLOW))
		track(skb, &packet, own);
	else if (result == PARSE_IGNORED)
		own->ignored++;
	else if (result == PARSE_NOT_IP)
		own->not_ip++;
	else
		refuse_unparsed(&packet, result & (UNPARSED_COUNT - 1), own);
	return packet.drop_reason ? TC_ACT_SHOT : TCX_NEXT;
}
