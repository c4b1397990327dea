/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The connection table's entries. An entry belongs to one endpoint's interface, so two pods of one node that talk to each
 * other have one entry each. The key (packet.h) is written from the endpoint's side; who opened the connection stands in the
 * entry.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "endpoint.h"
#include "identity.h"
#include "packet.h"

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

/*
 * 96 bytes, so that an element of the table (48 bytes of the kernel's, the key, this) is three cache lines: most of what a new
 * connection costs is the fetching of lines that were not used for long. The first 32 share a line with the end of the key.
 */
struct connection {
	__u64 untold[2];              /* not yet told, per direction: UNTOLD_… */
	__u32 last_seen;              /* ticks */
	__u32 last_record;            /* ticks; claimed by compare-and-swap before an interval record */
	__u32 state;                  /* STATE_… bits, only ever added */
	__u32 policy_revision;        /* under which the connection was judged */
	__u8 flags[2];                /* TCP flags not yet told, per direction */
	__u8 egress;                  /* 1 = the endpoint opened it */
	__u8 drop_reason;             /* not 0: policy changed and now denies it; nothing of it passes */
	__u32 sequence[2];            /* TCP: just after the last byte (SYN, FIN) that each direction has sent */
	__u32 retransmits_seen[2];    /* of the sender's socket, or RETRANSMITS_UNKNOWN */
	__u32 retransmits;            /* not yet told */
	__u32 handshake;              /* ktime of the latest SYN in µs, its low bits; once STATE_MEASURED: round trip in µs, 0 = unknown */
	__u32 source_identity;        /* of who opened it */
	__u32 destination_identity;
	__u32 endpoint_id;
	__u32 identity_revision;      /* under which the identities were looked up */
	__u32 rule_id;                /* of the policy rule that decided; 0 = none had to */
	__u32 audit_rule_id;          /* what would have denied it; 0 = nothing */
	__u8 unsure;                  /* 1 = who opened it is a guess */
	__u8 ipv6;
	__u8 icmp_type;               /* of the original direction */
	__u8 icmp_code;
	__u32 service;                /* id of the frontend that was asked for; 0 = none, or not known here */
	__u32 reserved;
};

_Static_assert(sizeof(struct connection) == 96, "an element of the connection table is three cache lines");

/* Inserted by the programs, deleted by the sweep (or evicted, counted by the agent), read by both and the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 131072);
	__type(key, struct connection_key);
	__type(value, struct connection);
} connections SEC(".maps");

/* Looks both identities up, and remembers under which revision. */
static __always_inline void set_identities(const struct connection_key *key, struct connection *connection,
					   const struct endpoint *endpoint, __u32 revision)
{
	__u32 remote = identity_of(&key->remote);
	__u32 local = endpoint ? endpoint->identity : identity_of(&key->local);

	connection->endpoint_id = endpoint ? endpoint->id : 0;
	connection->source_identity = connection->egress ? local : remote;
	connection->destination_identity = connection->egress ? remote : local;
	connection->identity_revision = revision;
}

/* The same, the endpoint looked up by its interface. */
static __noinline void resolve_identities(const struct connection_key *key, struct connection *connection,
					  __u32 revision)
{
	__u32 interface_index = key->interface_index;

	set_identities(key, connection, bpf_map_lookup_elem(&endpoints, &interface_index), revision);
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
