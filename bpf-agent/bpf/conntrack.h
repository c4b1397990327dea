/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* How connections begin, and when they are over. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "clock.h"
#include "connection.h"
#include "counters.h"
#include "drop.h"
#include "enforce.h"
#include "packet.h"
#include "parse.h"
#include "settings.h"

/* Linux's default range of ports that a client is given. */
static __always_inline int ephemeral(__u16 port)
{
	return port >= 32768 && port <= 60999;
}

/*
 * Who opened a connection whose start was not seen (the agent came later)? The side with a service's port is the server;
 * when the ports do not tell, the lower one is taken for it and the answer is marked unsure.
 * Returns 1 when the packet seems to travel in the reply direction.
 */
static __always_inline int guess_reply(const struct packet *packet, __u8 *unsure)
{
	int from_client = ephemeral(source_port(packet)), to_client = ephemeral(destination_port(packet));

	if (from_client != to_client)
		return to_client;
	*unsure = 1;
	return source_port(packet) < destination_port(packet);
}

/* Returns 1 when the packet, which has no entry, travels against the connection's original direction. */
static __always_inline int starts_as_reply(const struct packet *packet, __u8 *unsure)
{
	switch (packet->key.protocol) {
	case PROTOCOL_TCP:
		if (packet->tcp_flags & TCP_SYN)
			return !!(packet->tcp_flags & TCP_ACK);
		return guess_reply(packet, unsure);
	case PROTOCOL_SCTP:
		if (packet->chunk == CHUNK_OPEN || packet->chunk == CHUNK_OPEN_REPLY)
			return packet->chunk == CHUNK_OPEN_REPLY;
		return guess_reply(packet, unsure);
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return packet->chunk == CHUNK_OPEN_REPLY;
	default:
		return 0; /* UDP and others have no start to miss: who speaks first opens */
	}
}

/*
 * @arg how OPENS_… bits
 * Returns the new entry, or null: policy denies it (packet->drop_reason says why, and it is told), or the table took none.
 */
#define OPENS_EGRESS 1u /* the endpoint opened it */
#define OPENS_UNSURE 2u
#define OPENS_SEEN 4u   /* its start was seen: the sender's socket has sent nothing again yet */

static __noinline struct connection *open_connection(struct packet *packet, __u32 how)
{
	struct connection fresh = {};
	struct datapath_counters *own;
	struct datapath_state *revisions;
	struct endpoint *endpoint;
	__u32 zero = 0, interface_index = packet->key.interface_index;

	fresh.opened = bpf_ktime_get_ns();
	fresh.last_record = table_now();
	fresh.egress = how & OPENS_EGRESS;
	fresh.unsure = !!(how & OPENS_UNSURE);
	fresh.ipv6 = packet->ipv6;
	if (!(how & OPENS_SEEN)) {
		fresh.retransmits_seen[ORIGINAL] = RETRANSMITS_UNKNOWN;
		fresh.retransmits_seen[REPLY] = RETRANSMITS_UNKNOWN;
	}
	fresh.icmp_type = packet->chunk == CHUNK_OPEN_REPLY ? packet->key.remote_port : packet->icmp_type;
	fresh.icmp_code = packet->icmp_code;
	/* Before the endpoint: what is judged by an older policy must not bear a newer revision. */
	revisions = bpf_map_lookup_elem(&state, &zero);
	if (!revisions)
		return 0;
	fresh.policy_revision = revisions->policy_revision;
	endpoint = bpf_map_lookup_elem(&endpoints, &interface_index);
	set_identities(&packet->key, &fresh, endpoint, revisions->identity_revision);
	if (endpoint && endpoint->flags && !packet->admitted) {
		packet->drop_reason = admit(endpoint, packet, &fresh);
		if (packet->drop_reason) {
			tell_drop(packet, &fresh);
			return 0;
		}
	}
	/* Another CPU may have been first: then its entry is the one. */
	if (!bpf_map_update_elem(&connections, &packet->key, &fresh, BPF_NOEXIST)) {
		own = own_counters();
		if (own)
			own->connections_created++;
	}
	return bpf_map_lookup_elem(&connections, &packet->key);
}

/* Nanoseconds without a packet after which a connection in this state is over. */
static __always_inline __u64 idle_timeout(__u8 protocol, __u32 connection_state)
{
	if (connection_state & STATE_CLOSED)
		return settings.timeout_closing;
	switch (protocol) {
	case PROTOCOL_TCP:
		if ((connection_state & STATE_BOTH_FIN) == STATE_BOTH_FIN)
			return settings.timeout_closing;
		if ((connection_state & STATE_BOTH_SEEN) != STATE_BOTH_SEEN)
			return settings.timeout_opening;
		if (connection_state & STATE_BOTH_FIN)
			return settings.timeout_half_closed;
		return settings.timeout_established;
	case PROTOCOL_UDP:
		return settings.timeout_udp;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		return settings.timeout_icmp;
	default:
		return settings.timeout_other;
	}
}

/* Nanoseconds since the connection's latest packet in either direction. */
static __always_inline __u64 idle_for(const struct connection *connection, __u64 now)
{
	__u64 last = connection->last_seen[ORIGINAL];

	if (connection->last_seen[REPLY] > last)
		last = connection->last_seen[REPLY];
	return now > last ? now - last : 0;
}

/* Whether this packet starts a new connection on the ports of one that is over. */
static __always_inline int reopens(const struct packet *packet, const struct connection *connection, __u64 now)
{
	__u32 state_now = connection->state;

	if (packet->key.protocol == PROTOCOL_TCP) {
		if ((packet->tcp_flags & (TCP_SYN | TCP_ACK)) != TCP_SYN)
			return 0;
	} else if (packet->key.protocol != PROTOCOL_SCTP || packet->chunk != CHUNK_OPEN) {
		return 0;
	}
	return (state_now & STATE_CLOSED) || (state_now & STATE_BOTH_FIN) == STATE_BOTH_FIN ||
	       idle_for(connection, now) > idle_timeout(packet->key.protocol, state_now);
}
