/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the datapath wants to know of one packet. */
#pragma once

#include "address.h"

#define PROTOCOL_HOP_BY_HOP 0
#define PROTOCOL_ICMP 1
#define PROTOCOL_IGMP 2
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17
#define PROTOCOL_ROUTING 43
#define PROTOCOL_FRAGMENT 44
#define PROTOCOL_AUTHENTICATION 51
#define PROTOCOL_ICMPV6 58
#define PROTOCOL_DESTINATION 60
#define PROTOCOL_SCTP 132
#define PROTOCOL_MOBILITY 135
#define PROTOCOL_HIP 139
#define PROTOCOL_SHIM6 140

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

/* What a packet says about the start or end of its connection, besides TCP's flags. */
enum chunk {
	CHUNK_PLAIN = 0,
	CHUNK_OPEN = 1,       /* SCTP INIT; ICMP echo request */
	CHUNK_OPEN_REPLY = 2, /* SCTP INIT ACK; ICMP echo reply */
	CHUNK_CLOSE = 3,      /* SCTP ABORT, SHUTDOWN COMPLETE */
};

/*
 * The connection a packet belongs to, written from the endpoint's side: both hooks of an interface find an entry with a
 * single lookup, whichever way the packet goes.
 */
struct connection_key {
	union address local;   /* the endpoint's side */
	union address remote;
	__u32 interface_index;
	__u16 local_port;      /* host order; ICMP echo: identifier; other ICMP: type */
	__u16 remote_port;     /* ICMP echo: type of the request; other ICMP: code */
	__u8 protocol;
	__u8 one_way;          /* messages without a reply (ICMP errors): 1 + whether they leave the pod; else 0 */
	__u8 reserved[6];      /* 48 bytes: hashed and compared in whole words */
} __attribute__((aligned(8)));

struct packet {
	struct connection_key key;
	__u32 bytes;        /* frame less Ethernet header */
	__u32 packets;      /* wire segments (GSO) */
	__u32 sequence;     /* TCP: sequence number just after this segment */
	__u32 acknowledged; /* TCP: acknowledgement number */
	__u8 tcp_flags;
	__u8 chunk;         /* enum chunk */
	__u8 ipv6;
	__u8 outgoing;      /* 1 = the packet leaves the endpoint */
	__u8 icmp_type;
	__u8 icmp_code;
	__u8 later_fragment; /* its ports are those of the datagram's first fragment */
	__u8 admitted;       /* policy has let it pass already */
	__u8 drop_reason;    /* not 0: it is dropped, and was told */
	__u8 moves;          /* TCP: it takes up sequence numbers: payload, SYN or FIN */
	__u32 transport;    /* parse.h only: where in the frame the transport header begins; nothing in later fragments */
	__u32 embedded;      /* ICMP errors: where in the frame the packet they are about begins; else 0 */
};

static __always_inline __u16 source_port(const struct packet *packet)
{
	return packet->outgoing ? packet->key.local_port : packet->key.remote_port;
}

static __always_inline __u16 destination_port(const struct packet *packet)
{
	return packet->outgoing ? packet->key.remote_port : packet->key.local_port;
}

/* Host order. */
static __always_inline void set_ports(struct packet *packet, __u16 source, __u16 destination)
{
	packet->key.local_port = packet->outgoing ? source : destination;
	packet->key.remote_port = packet->outgoing ? destination : source;
}
