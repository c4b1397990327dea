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
#include "emit.h"
#include "external.h"
#include "packet.h"
#include "service.h"
#include "settings.h"
#include "tcp.h"

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

#define EEXIST 17

/*
 * A packet without an entry: makes the entry, if policy allows, and tells it. Not static for the verifier's sake.
 * Returns 1: all is done (when policy denied it, packet->drop_reason says why). Or 0: another CPU has made the entry meanwhile,
 * and the packet is one of its later ones.
 */
__noinline int open_connection(struct __sk_buff *skb, struct packet *packet)
{
	struct connection fresh = {};
	struct datapath_counters *own = own_counters();
	struct datapath_state *revisions;
	struct endpoint *endpoint;
	__u32 zero = 0, interface_index = packet ? packet->key.interface_index : 0, way, total, unseen;
	__u64 now = bpf_ktime_get_ns();
	long error;

	/* Before the endpoint: what is judged by an older policy must not bear a newer revision. */
	revisions = bpf_map_lookup_elem(&state, &zero);
	if (!packet || !own || !revisions)
		return 1;
	fresh.policy_revision = revisions->policy_revision;
	fresh.egress = (packet->outgoing ^ starts_as_reply(packet, &fresh.unsure)) & 1;
	fresh.ipv6 = packet->ipv6;
	fresh.icmp_type = packet->chunk == CHUNK_OPEN_REPLY ? packet->key.remote_port : packet->icmp_type;
	fresh.icmp_code = packet->icmp_code;
	endpoint = bpf_map_lookup_elem(&endpoints, &interface_index);
	set_identities(&packet->key, &fresh, endpoint, revisions->identity_revision);
	if (packet->outgoing && fresh.egress) {
		fresh.service = service_of(skb, &packet->key);
		if (fresh.destination_identity == IDENTITY_WORLD && in_service_range(&packet->key.remote)) {
			packet->drop_reason = DROP_UNROUTABLE;
			tell_drop(packet, &fresh);
			return 1;
		}
	}
	if (!packet->outgoing && !fresh.egress && fresh.source_identity < IDENTITY_OF_PODS)
		fresh.service = external_service_of(packet);
	if (endpoint && endpoint->flags && !packet->admitted) {
		packet->drop_reason = admit(endpoint, packet, &fresh);
		if (packet->drop_reason) {
			tell_drop(packet, &fresh);
			return 1;
		}
	}

	way = (fresh.egress ^ packet->outgoing) & 1;
	fresh.last_seen = ticks_now();
	fresh.last_record = fresh.last_seen;
	fresh.handshake = micros_of(now);
	fresh.state = fresh_state(packet, &fresh, way, 0);
	fresh.sequence[ORIGINAL] = packet->sequence;
	fresh.sequence[REPLY] = packet->sequence; /* until the other direction's first packet */
	if (packet->key.protocol == PROTOCOL_TCP) {
		/* Whose start was not seen may have sent something again before. */
		unseen = packet->tcp_flags & TCP_SYN ? 0 : RETRANSMITS_UNKNOWN;
		total = retransmits_of(skb);
		if (total == RETRANSMITS_UNKNOWN)
			total = unseen;
		else if (!unseen)
			fresh.retransmits = total;
		fresh.retransmits_seen[ORIGINAL] = way ? unseen : total;
		fresh.retransmits_seen[REPLY] = way ? total : unseen;
	}
	error = bpf_map_update_elem(&connections, &packet->key, &fresh, BPF_NOEXIST);
	if (error && error != -EEXIST) {
		own->connections_refused++;
		return 1;
	}
	if (error)
		return 0;
	own->connections_created++;
	tell_opening(packet, &fresh, way, now);
	return 1;
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

/* Whether the packet may be the first of a new connection on the ports of one that is over. */
static __always_inline int opens_anew(const struct packet *packet)
{
	if (packet->key.protocol == PROTOCOL_TCP)
		return (packet->tcp_flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
	return packet->key.protocol == PROTOCOL_SCTP && packet->chunk == CHUNK_OPEN;
}

static __always_inline int is_over(const struct packet *packet, const struct connection *connection)
{
	__u32 state_now = connection->state;

	return (state_now & STATE_CLOSED) || (state_now & STATE_BOTH_FIN) == STATE_BOTH_FIN ||
	       elapsed(connection->last_seen, ticks_now()) > idle_timeout(packet->key.protocol, state_now);
}

/*
 * Tells the rest of a connection that is over and takes its entry out, for the packet to open another.
 * Returns null; or the entry, when the rest found no room in the ring: then it begins anew in place, and what could not be told
 * is told with it.
 */
static __noinline struct connection *end_connection(const struct packet *packet, struct connection *connection)
{
	struct datapath_counters *own = own_counters();
	__u32 trigger = end_trigger(connection);

	if (trigger && emit_rest(&packet->key, connection, trigger)) {
		connection->state = 0;
		return connection;
	}
	bpf_map_delete_elem(&connections, &packet->key);
	if (own)
		own->connections_ended++;
	return 0;
}
