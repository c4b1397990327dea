/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The connection table. An entry belongs to one endpoint's interface, so two pods of one node that talk to each other
 * have one entry each. The key (packet.h) is written from the endpoint's side; who opened the connection stands in the
 * entry.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "clock.h"
#include "counters.h"
#include "endpoint.h"
#include "identity.h"
#include "packet.h"
#include "parse.h"
#include "settings.h"

/* Indexes of a connection's directions. */
#define ORIGINAL 0
#define REPLY 1

/* Bits of connection.state. A pair of bits is one per direction: BIT << direction. */
#define STATE_SEEN 0x001u        /* pair: a packet of this direction was seen */
#define STATE_SYN 0x004u         /* pair: and its SYN */
#define STATE_FIN 0x010u         /* pair: and its FIN */
#define STATE_RST 0x040u         /* pair: and its RST */
#define STATE_FIN_SECOND 0x100u  /* pair: its FIN was the second one */
#define STATE_CLOSED 0x400u      /* RST, or the second FIN is acknowledged */
#define STATE_MEASURED 0x800u    /* handshake round trip is known */
#define STATE_BOTH_SEEN (STATE_SEEN * 3)
#define STATE_BOTH_FIN (STATE_FIN * 3)

/*
 * Packets and bytes in one word, so that both are added, and taken, in one atomic step: bytes in bits 0–39, packets in
 * bits 40–63. A record is forced long before either could overflow.
 */
#define UNTOLD_BYTES ((1ULL << 40) - 1)
#define UNTOLD_PACKETS_SHIFT 40

/* No socket of this direction's sender was seen yet, so its retransmissions so far are not ours to tell. */
#define RETRANSMITS_UNKNOWN 0xffffffffu

struct connection {
	__u64 opened;                 /* ktime of the first packet, or of the latest SYN before any reply */
	__u64 last_seen[2];           /* table clock, per direction */
	__u64 last_record;            /* table clock; claimed by compare-and-swap before an interval record */
	__u64 untold[2];              /* not yet told, per direction: UNTOLD_… */
	__u32 state;                  /* STATE_… bits, only ever added */
	__u32 flags;                  /* TCP flags not yet told: original in bits 0–7, reply in bits 8–15 */
	__u32 fin_acknowledged;       /* the acknowledgement number that covers the second FIN */
	__u32 rtt_micros;
	__u32 retransmits_seen[2];    /* of the sender's socket, or RETRANSMITS_UNKNOWN */
	__u32 retransmits;            /* not yet told */
	__u32 source_identity;        /* of who opened it */
	__u32 destination_identity;
	__u32 endpoint_id;
	__u32 identity_revision;      /* under which the identities were looked up */
	__u32 policy_revision;        /* under which the connection was judged */
	__u32 rule_id;
	__u8 egress;                  /* 1 = the endpoint opened it */
	__u8 unsure;                  /* 1 = who opened it is a guess */
	__u8 ipv6;
	__u8 icmp_type;               /* of the original direction */
	__u8 icmp_code;
	__u8 reserved[7];
};

/* Inserted by the programs, deleted by the sweep (or evicted, counted by the agent), read by both and the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct connection_key);
	__type(value, struct connection);
} connections SEC(".maps");

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

/* Looks both identities up, the endpoint's own by its interface, and remembers under which revision. */
static __noinline void resolve_identities(const struct connection_key *key, struct connection *connection,
					  __u32 revision)
{
	__u32 interface_index = key->interface_index;
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, &interface_index);
	__u32 remote = identity_of(&key->remote);
	__u32 local = endpoint ? endpoint->identity : identity_of(&key->local);

	connection->endpoint_id = endpoint ? endpoint->id : 0;
	connection->source_identity = connection->egress ? local : remote;
	connection->destination_identity = connection->egress ? remote : local;
	connection->identity_revision = revision;
}

/*
 * The same for the sweep, which the kernel does not let use a prefix tree: it renews what exact addresses tell, and
 * leaves the rest, and the revision, to the connection's next packet.
 */
static __noinline void resolve_exact_identities(const struct connection_key *key, struct connection *connection)
{
	__u32 interface_index = key->interface_index;
	struct endpoint *endpoint = bpf_map_lookup_elem(&endpoints, &interface_index);
	__u32 remote = exact_identity_of(&key->remote);
	__u32 local = endpoint ? endpoint->identity : exact_identity_of(&key->local);

	if (endpoint)
		connection->endpoint_id = endpoint->id;
	if (connection->egress) {
		connection->source_identity = local ? local : connection->source_identity;
		connection->destination_identity = remote ? remote : connection->destination_identity;
	} else {
		connection->source_identity = remote ? remote : connection->source_identity;
		connection->destination_identity = local ? local : connection->destination_identity;
	}
}

/*
 * @arg how OPENS_… bits
 * Returns the new entry, or null when the table took none.
 */
#define OPENS_EGRESS 1u /* the endpoint opened it */
#define OPENS_UNSURE 2u
#define OPENS_SEEN 4u   /* its start was seen: the sender's socket has sent nothing again yet */

static __noinline struct connection *open_connection(const struct packet *packet, __u32 how)
{
	struct connection fresh = {};
	struct datapath_counters *own;
	struct datapath_state *revisions;
	__u32 zero = 0;

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
	revisions = bpf_map_lookup_elem(&state, &zero);
	if (revisions)
		fresh.policy_revision = revisions->policy_revision;
	resolve_identities(&packet->key, &fresh, revisions ? revisions->identity_revision : 0);
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
