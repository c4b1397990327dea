/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a packet says about its connection's state; for TCP also the handshake's round trip and what was sent again. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "connection.h"
#include "likely.h"
#include "packet.h"

/* ktime in microseconds, as connection.handshake keeps it. */
static __always_inline __u32 micros_of(__u64 nanoseconds)
{
	return nanoseconds / 1000;
}

/* State bits that this packet brings and `before` lacks. */
static __always_inline __u32 fresh_state(const struct packet *packet, const struct connection *connection, __u32 way,
					 __u32 before)
{
	__u32 bits = STATE_SEEN << way;

	if (packet->chunk == CHUNK_CLOSE)
		bits |= STATE_CLOSED;
	if (unlikely(packet->key.protocol != PROTOCOL_TCP))
		return bits & ~before;
	if (unlikely(packet->tcp_flags & (TCP_SYN | TCP_RST | TCP_FIN))) {
		if (packet->tcp_flags & TCP_SYN)
			bits |= STATE_SYN << way;
		if (packet->tcp_flags & TCP_RST)
			bits |= STATE_RST << way | STATE_CLOSED;
		if (packet->tcp_flags & TCP_FIN) {
			bits |= STATE_FIN << way;
			if (before & STATE_FIN << !way && !(before & STATE_FIN << way))
				bits |= STATE_FIN_SECOND << way;
		}
	}
	/* The second FIN is the last that its direction sent. */
	if (unlikely(before & STATE_FIN_SECOND << !way) && packet->tcp_flags & TCP_ACK && !(packet->tcp_flags & TCP_FIN) &&
	    (__s32)(packet->acknowledged - connection->sequence[!way]) >= 0)
		bits |= STATE_CLOSED;
	return bits & ~before;
}

/*
 * The handshake's round trip as this hook sees it: from the opener's latest SYN to its first acknowledgement. For packets of
 * the original direction, until it is measured.
 */
static __always_inline void measure_handshake(struct connection *connection, const struct packet *packet, __u32 before)
{
	__u32 micros = 0;

	if (!(before & STATE_SEEN << REPLY)) {
		if (packet->tcp_flags & TCP_SYN)
			connection->handshake = micros_of(bpf_ktime_get_ns());
		return;
	}
	if (!(packet->tcp_flags & TCP_ACK))
		return;
	if ((before & (STATE_SYN * 3)) == STATE_SYN * 3) {
		micros = micros_of(bpf_ktime_get_ns()) - connection->handshake;
		micros = micros ? micros : 1;
	}
	connection->handshake = micros;
	__sync_fetch_and_or(&connection->state, STATE_MEASURED);
}

/*
 * Segments that the packet's socket has sent again since it began, where the packet still knows it (the sender's own node); else
 * RETRANSMITS_UNKNOWN.
 */
static __always_inline __u32 retransmits_of(struct __sk_buff *skb)
{
	struct bpf_sock *socket = skb->sk;
	struct bpf_tcp_sock *tcp = socket ? bpf_tcp_sock(socket) : 0;

	return tcp ? tcp->total_retrans : RETRANSMITS_UNKNOWN;
}

static __always_inline void count_retransmits(struct __sk_buff *skb, struct connection *connection, __u32 way)
{
	__u32 total = retransmits_of(skb), seen = connection->retransmits_seen[way & 1];

	if (total == RETRANSMITS_UNKNOWN || total == seen)
		return;
	if (seen != RETRANSMITS_UNKNOWN && total > seen)
		__sync_fetch_and_add(&connection->retransmits, total - seen);
	connection->retransmits_seen[way & 1] = total;
}

/*
 * Remembers how far this direction has come. Its socket is asked (which costs a call) when the segment brings nothing new, so
 * was sent again, and at both ends of the connection.
 * @arg first the direction's first packet
 */
static __always_inline void follow_sequence(struct __sk_buff *skb, struct connection *connection,
					    const struct packet *packet, __u32 way, __u32 first)
{
	int ends = packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST);
	int newer = (__s32)(packet->sequence - connection->sequence[way & 1]) > 0;

	if (!packet->moves && !first && !ends)
		return;
	if (newer || first || packet->tcp_flags & TCP_FIN)
		connection->sequence[way & 1] = packet->sequence;
	if (unlikely(!newer || first || ends))
		count_retransmits(skb, connection, way);
}
