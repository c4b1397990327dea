/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The ring record: what the kernel says about one observed moment of a connection at one endpoint's interface.
 *
 * Fixed size, 8-aligned, integers in host byte order (little-endian on every machine we run on), addresses in network
 * order. Its TypeScript twin is bpf-agent/events/ring-record.ts; bpf-agent/maps/layout.spec.ts holds the two together byte by byte.
 */
#pragma once

#include <linux/types.h>

/* Where the packet was seen. Numbers as in Hubble's trace observation points. */
enum observation {
	OBSERVED_TO_STACK = 3,      /* the packet leaves the pod: the endpoint is its source */
	OBSERVED_TO_ENDPOINT = 101, /* the packet enters the pod: the endpoint is its destination */
	/* At a socket: 200 + Hubble's socket translation points. REV: the endpoint is the destination. */
	OBSERVED_PRE_XLATE_FWD = 201,
	OBSERVED_POST_XLATE_FWD = 202,
	OBSERVED_PRE_XLATE_REV = 203,
	OBSERVED_POST_XLATE_REV = 204,
};

/* Why the record was written. The strongest cause wins: close, first packet, flag change, interval. */
enum trigger {
	TRIGGER_FIRST_PACKET = 1, /* first packet of a direction */
	TRIGGER_FLAG_CHANGE = 2,  /* SYN, FIN or RST newly seen in a direction */
	TRIGGER_INTERVAL = 3,     /* still active, and nothing was told for the record interval */
	TRIGGER_CLOSE = 4,        /* RST, or the acknowledgement of the second FIN */
	TRIGGER_IDLE_END = 5,     /* the sweep gave the connection up, or told what came after its close */
	TRIGGER_DROP = 6,         /* the packet, or as many as it counts, was dropped */
	TRIGGER_TRANSLATION = 7,  /* a Service's address was exchanged for a backend's, or back */
	TRIGGER_COUNT = 8,        /* room for counters indexed by trigger */
};

/* The connection's direction as the endpoint sees it, for replies too. */
enum direction {
	DIRECTION_INGRESS = 1,
	DIRECTION_EGRESS = 2,
};

enum reply {
	REPLY_NO = 0,
	REPLY_YES = 1,
	REPLY_UNKNOWN = 2, /* picked up mid-stream and the ports do not tell either */
};

enum verdict {
	VERDICT_FORWARDED = 1,
	VERDICT_DROPPED = 2,
	VERDICT_AUDIT = 4, /* passed, and a policy that is audited only would have denied it */
	VERDICT_TRACED = 6,     /* what stood there before a translation */
	VERDICT_TRANSLATED = 7, /* what stands there after it */
};

struct flow_record {
	__u64 time;                    /*   0: bpf_ktime_get_ns(), CLOCK_MONOTONIC nanoseconds */
	__u8 source_address[16];       /*   8: of the packet; IPv4 as ::ffff:a.b.c.d */
	__u8 destination_address[16];  /*  24 */
	__u32 source_identity;         /*  40 */
	__u32 destination_identity;    /*  44 */
	__u32 interface_index;         /*  48: the host side of the pod's veth */
	__u32 endpoint_id;             /*  52: 0 = the interface is not a known endpoint */
	__u16 source_port;             /*  56: ICMP and ICMPv6: the type */
	__u16 destination_port;        /*  58: ICMP and ICMPv6: the code */
	__u8 protocol;                 /*  60: IANA number of the transport header */
	__u8 tcp_flags;                /*  61: seen in the packet's direction since that direction's last record */
	__u8 observation;              /*  62: enum observation */
	__u8 trigger;                  /*  63: enum trigger */
	__u8 direction;                /*  64: enum direction */
	__u8 reply;                    /*  65: enum reply */
	__u8 verdict;                  /*  66: enum verdict */
	__u8 drop_reason;              /*  67: 0 = not dropped */
	__u8 ipv6;                     /*  68: 1 = the packet is IPv6 */
	__u8 reserved0[3];             /*  69 */
	__u32 packets_original;        /*  72: since the connection's previous record at this interface */
	__u32 packets_reply;           /*  76: TRIGGER_TRANSLATION: here the socket's cookie, low half first */
	__u32 bytes_original;          /*  80: IP bytes (frame less Ethernet header), same span */
	__u32 bytes_reply;             /*  84: TRIGGER_TRANSLATION: here the id of the program's cgroup, low half first */
	__u32 rtt_micros;              /*  88: handshake round trip, in every record once known; 0 = unknown */
	__u32 retransmits;             /*  92: segments sent again, same span; known where the sender's socket is seen */
	__u32 rule_id;                 /*  96: what of policy decided; 0 = nothing had to */
	__u32 policy_revision;         /* 100: policy revision under which the connection was judged */
	__u32 audit_rule_id;           /* 104: what would have denied it; 0 = nothing */
	__u32 service_id;              /* 108: the Service frontend the sender asked for; 0 = none, or not known here */
};

_Static_assert(sizeof(struct flow_record) == 112, "the ring record is 112 bytes");
