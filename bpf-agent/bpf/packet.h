/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the datapath wants to know of one packet. */
#pragma once

#include "address.h"

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

struct packet {
	union address source;
	union address destination;
	__u16 source_port;      /* host order; ICMP: type */
	__u16 destination_port; /* ICMP: code */
	__u16 echo_id;          /* ICMP echo: identifier */
	__u8 protocol;
	__u8 tcp_flags;
	__u8 chunk;             /* enum chunk */
	__u8 echo;              /* 1 = ICMP echo request or reply */
	__u8 ipv6;
	__u32 bytes;            /* frame less Ethernet header */
	__u32 packets;          /* wire segments (GSO) */
	__u32 sequence;         /* TCP: sequence number just after this segment */
	__u32 acknowledged;     /* TCP: acknowledgement number */
};
