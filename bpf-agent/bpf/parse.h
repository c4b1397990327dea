/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Frame → struct packet. Nothing is assumed about where the kernel keeps the bytes: headers are read in place when they
 * lie in the linear part, else copied out.
 */
#pragma once

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "counters.h"
#include "fragment.h"
#include "packet.h"

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

#define MAX_EXTENSION_HEADERS 8

/* No transport header starts further into the frame: 8 extension headers of at most 2 KiB. */
#define MAX_HEADERS (ETH_HLEN + 40 + MAX_EXTENSION_HEADERS * 2048)

/* Results of parsing; with the bit PARSE_UNPARSED, the lower bits are an enum unparsed. */
enum parsed {
	PARSE_FLOW = 0,
	PARSE_IGNORED = 1, /* ARP, NDP, MLD, IGMP */
	PARSE_NOT_IP = 2,
	PARSE_UNPARSED = 16,
};

#define UNPARSED(reason) (PARSE_UNPARSED + UNPARSED_##reason)

/* The headers as words, so that each copy is a few wide loads whatever the frame's alignment. */
struct tcp_words {
	__be16 source_port;
	__be16 destination_port;
	__be32 sequence;
	__be32 acknowledged;
	__u8 data_offset; /* upper four bits: header length in 32-bit words */
	__u8 flags;
	__be16 window;
	__be16 checksum;
	__be16 urgent;
};

struct udp_words {
	__be16 source_port;
	__be16 destination_port;
	__be16 length;
	__be16 checksum;
};

struct icmp_words {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be16 id; /* echo only */
	__be16 sequence;
};

struct sctp_words {
	__be16 source_port;
	__be16 destination_port;
	__be32 tag;
	__be32 checksum;
};

struct extension_words {
	__u8 next;
	__u8 length;
	__be16 offset; /* fragment header: offset in 8-byte units, then flags */
	__be32 id;     /* fragment header */
};

/* Reads `target` at `at` bytes into the frame. Returns 1, or 0 when the frame ends before. */
#define READ(skb, at, target)                                                                      \
	({                                                                                         \
		typeof(target) *in_place = (void *)(long)(skb)->data + (at);                       \
		int whole = 1;                                                                     \
		if ((void *)(in_place + 1) <= (void *)(long)(skb)->data_end)                       \
			(target) = *in_place;                                                      \
		else                                                                               \
			whole = !bpf_skb_load_bytes((skb), (at), &(target), sizeof(target));       \
		whole;                                                                             \
	})

/* Neighbour discovery (133–137) and multicast listener messages (130–132, 143) keep the network running; not flows. */
static __always_inline int icmpv6_housekeeping(__u8 type)
{
	return (type >= 130 && type <= 137) || type == 143;
}

/*
 * Not static (nor is `parse`), so that the verifier checks it once by itself instead of once more for every way that
 * leads to it: loading takes a quarter of the time.
 * @arg at     where the transport header starts in the frame
 * @arg length bytes of transport header and payload by the IP header's account
 * Returns an enum parsed.
 */
__noinline int parse_transport(struct __sk_buff *skb, __u32 at, __u32 length, struct packet *packet)
{
	if (!packet || at > MAX_HEADERS) /* never; the verifier wants to see it */
		return UNPARSED(NETWORK_MALFORMED);
	switch (packet->protocol) {
	case PROTOCOL_TCP: {
		struct tcp_words tcp;
		__u32 header;

		if (length < sizeof(tcp) || !READ(skb, at, tcp))
			return UNPARSED(TRANSPORT_TRUNCATED);
		header = (tcp.data_offset >> 4) * 4;
		if (header < sizeof(tcp) || header > length)
			return UNPARSED(TRANSPORT_MALFORMED);
		packet->source_port = bpf_ntohs(tcp.source_port);
		packet->destination_port = bpf_ntohs(tcp.destination_port);
		packet->tcp_flags = tcp.flags;
		packet->sequence = bpf_ntohl(tcp.sequence) + (length - header) + !!(tcp.flags & (TCP_SYN | TCP_FIN));
		packet->acknowledged = bpf_ntohl(tcp.acknowledged);
		return PARSE_FLOW;
	}
	case PROTOCOL_UDP: {
		struct udp_words udp;

		if (length < sizeof(udp) || !READ(skb, at, udp))
			return UNPARSED(TRANSPORT_TRUNCATED);
		/* Length 0 stands for "as long as the packet" in jumbograms and large GSO packets. */
		if (udp.length && bpf_ntohs(udp.length) < sizeof(udp))
			return UNPARSED(TRANSPORT_MALFORMED);
		packet->source_port = bpf_ntohs(udp.source_port);
		packet->destination_port = bpf_ntohs(udp.destination_port);
		return PARSE_FLOW;
	}
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6: {
		struct icmp_words icmp;
		__u8 request = packet->protocol == PROTOCOL_ICMP ? 8 : 128;
		__u8 answer = packet->protocol == PROTOCOL_ICMP ? 0 : 129;

		if (length < sizeof(icmp) || !READ(skb, at, icmp))
			return UNPARSED(TRANSPORT_TRUNCATED);
		if (packet->protocol == PROTOCOL_ICMPV6 && icmpv6_housekeeping(icmp.type))
			return PARSE_IGNORED;
		packet->source_port = icmp.type;
		packet->destination_port = icmp.code;
		if (icmp.type == request || icmp.type == answer) {
			packet->echo = 1;
			packet->echo_id = bpf_ntohs(icmp.id);
			packet->chunk = icmp.type == request ? CHUNK_OPEN : CHUNK_OPEN_REPLY;
		}
		return PARSE_FLOW;
	}
	case PROTOCOL_SCTP: {
		struct sctp_words sctp;
		__u8 chunk;

		if (length < sizeof(sctp) || !READ(skb, at, sctp))
			return UNPARSED(TRANSPORT_TRUNCATED);
		packet->source_port = bpf_ntohs(sctp.source_port);
		packet->destination_port = bpf_ntohs(sctp.destination_port);
		if (length > sizeof(sctp) && READ(skb, at + sizeof(sctp), chunk)) {
			if (chunk == 1)
				packet->chunk = CHUNK_OPEN;
			else if (chunk == 2)
				packet->chunk = CHUNK_OPEN_REPLY;
			else if (chunk == 6 || chunk == 14)
				packet->chunk = CHUNK_CLOSE;
		}
		return PARSE_FLOW;
	}
	case PROTOCOL_IGMP:
		return packet->ipv6 ? PARSE_FLOW : PARSE_IGNORED;
	default:
		return PARSE_FLOW;
	}
}

/*
 * @arg id       the datagram's identification
 * @arg first    this fragment carries the transport header
 * @arg fragment whether it is a fragment at all
 */
static __always_inline int parse_fragment_or_whole(struct __sk_buff *skb, __u32 at, __u32 length,
						   struct packet *packet, __u32 id, int first, int fragment)
{
	int result;

	if (fragment && !first)
		return recall_fragment(packet, id) ? UNPARSED(FRAGMENT_UNKNOWN) : PARSE_FLOW;
	result = parse_transport(skb, at, length, packet);
	if (fragment && result == PARSE_FLOW)
		remember_fragment(packet, id);
	return result;
}

static __always_inline int parse_ipv4(struct __sk_buff *skb, struct packet *packet)
{
	struct iphdr ip;
	__u32 header, total, offset;

	if (!READ(skb, ETH_HLEN, ip))
		return UNPARSED(NETWORK_TRUNCATED);
	header = ip.ihl * 4;
	if (ip.version != 4 || header < sizeof(ip))
		return UNPARSED(NETWORK_MALFORMED);
	/* A total length of 0 is what large GSO packets carry ("BIG TCP"). */
	total = bpf_ntohs(ip.tot_len);
	if (!total && skb->gso_size)
		total = packet->bytes;
	if (total > packet->bytes || header > packet->bytes)
		return UNPARSED(NETWORK_TRUNCATED);
	if (total < header)
		return UNPARSED(NETWORK_MALFORMED);

	address_from_ipv4(&packet->source, ip.saddr);
	address_from_ipv4(&packet->destination, ip.daddr);
	packet->protocol = ip.protocol;
	offset = bpf_ntohs(ip.frag_off);
	return parse_fragment_or_whole(skb, ETH_HLEN + header, total - header, packet, ip.id, !(offset & 0x1fff),
				       offset & 0x3fff);
}

/* Whether a next-header number is that of an extension header we can step over. */
static __always_inline int extends(__u8 next)
{
	return next == PROTOCOL_HOP_BY_HOP || next == PROTOCOL_ROUTING || next == PROTOCOL_DESTINATION ||
	       next == PROTOCOL_FRAGMENT || next == PROTOCOL_AUTHENTICATION || next == PROTOCOL_MOBILITY ||
	       next == PROTOCOL_HIP || next == PROTOCOL_SHIM6;
}

static __always_inline int parse_ipv6(struct __sk_buff *skb, struct packet *packet)
{
	struct ipv6hdr ip;
	struct extension_words extension;
	__u32 at = ETH_HLEN + sizeof(ip), end, id = 0;
	int first = 1, fragment = 0;
	__u8 next;

	if (!READ(skb, ETH_HLEN, ip))
		return UNPARSED(NETWORK_TRUNCATED);
	if (ip.version != 6)
		return UNPARSED(NETWORK_MALFORMED);
	end = at + bpf_ntohs(ip.payload_len);
	/* A payload length of 0 before a real header is a jumbogram or a large GSO packet. */
	if (!ip.payload_len)
		end = skb->len;
	if (end > skb->len)
		return UNPARSED(NETWORK_TRUNCATED);

	__builtin_memcpy(&packet->source, &ip.saddr, 16);
	__builtin_memcpy(&packet->destination, &ip.daddr, 16);
	packet->ipv6 = 1;
	next = ip.nexthdr;

	for (int i = 0; i < MAX_EXTENSION_HEADERS && extends(next); i++) {
		__u32 length;

		if (at + sizeof(extension) > end || !READ(skb, at, extension))
			return UNPARSED(NETWORK_TRUNCATED);
		length = (extension.length + 1) * 8;
		if (next == PROTOCOL_FRAGMENT) {
			length = 8;
			first = !(bpf_ntohs(extension.offset) & 0xfff8);
			fragment = !first || (bpf_ntohs(extension.offset) & 1);
			id = extension.id;
		} else if (next == PROTOCOL_AUTHENTICATION) {
			length = (extension.length + 2) * 4;
		}
		next = extension.next;
		at += length;
		if (at > end)
			return UNPARSED(NETWORK_TRUNCATED);
		/* What follows in a later fragment belongs to the datagram as a whole. */
		if (!first)
			break;
	}
	if (first && extends(next))
		return UNPARSED(EXTENSION_HEADERS);
	packet->protocol = next;
	return parse_fragment_or_whole(skb, at, end - at, packet, id, first, fragment);
}

/*
 * @arg packet zeroed
 * Returns an enum parsed; on PARSE_FLOW the packet is filled in.
 */
__noinline int parse(struct __sk_buff *skb, struct packet *packet)
{
	struct ethhdr ethernet;

	if (!packet) /* never; the verifier wants to see it */
		return PARSE_NOT_IP;
	if (skb->len < ETH_HLEN)
		return UNPARSED(LINK_TRUNCATED);
	packet->bytes = skb->len - ETH_HLEN;
	packet->packets = skb->gso_segs ? skb->gso_segs : 1;
	if (skb->vlan_present)
		return PARSE_NOT_IP;
	if (!READ(skb, 0, ethernet))
		return UNPARSED(LINK_TRUNCATED);
	switch (ethernet.h_proto) {
	case bpf_htons(ETH_P_IP):
		return parse_ipv4(skb, packet);
	case bpf_htons(ETH_P_IPV6):
		return parse_ipv6(skb, packet);
	case bpf_htons(ETH_P_ARP):
		return PARSE_IGNORED;
	default:
		return PARSE_NOT_IP;
	}
}
