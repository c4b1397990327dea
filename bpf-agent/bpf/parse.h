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

/* Where the network header says that the transport header is. */
struct transport {
	__u32 at;          /* bytes into the frame */
	__u32 length;      /* of header and payload, by the IP header's account */
	__u32 fragment_id;
	__u8 fragment;     /* 1 = a fragment */
	__u8 later;        /* 1 = not the first one: the transport header is elsewhere */
};

/* Neighbour discovery (133–137) and multicast listener messages (130–132, 143) keep the network running; not flows. */
static __always_inline int icmpv6_housekeeping(__u8 type)
{
	return (type >= 130 && type <= 137) || type == 143;
}

/* @arg payload bytes of it */
static __always_inline void read_tcp(const struct tcp_words *tcp, __u32 payload, struct packet *packet)
{
	__u32 moves = payload + !!(tcp->flags & (TCP_SYN | TCP_FIN));

	set_ports(packet, bpf_ntohs(tcp->source_port), bpf_ntohs(tcp->destination_port));
	packet->tcp_flags = tcp->flags;
	packet->sequence = bpf_ntohl(tcp->sequence) + moves;
	packet->acknowledged = bpf_ntohl(tcp->acknowledged);
	packet->moves = !!moves;
}

static __always_inline int parse_tcp(struct __sk_buff *skb, const struct transport *transport, struct packet *packet)
{
	struct tcp_words tcp;
	__u32 header;

	if (transport->length < sizeof(tcp) || !READ(skb, transport->at, tcp))
		return UNPARSED(TRANSPORT_TRUNCATED);
	header = (tcp.data_offset >> 4) * 4;
	if (header < sizeof(tcp) || header > transport->length)
		return UNPARSED(TRANSPORT_MALFORMED);
	read_tcp(&tcp, transport->length - header, packet);
	return PARSE_FLOW;
}

static __always_inline int parse_udp(struct __sk_buff *skb, const struct transport *transport, struct packet *packet)
{
	struct udp_words udp;

	if (transport->length < sizeof(udp) || !READ(skb, transport->at, udp))
		return UNPARSED(TRANSPORT_TRUNCATED);
	/* Length 0 stands for "as long as the packet" in jumbograms and large GSO packets. */
	if (udp.length && bpf_ntohs(udp.length) < sizeof(udp))
		return UNPARSED(TRANSPORT_MALFORMED);
	set_ports(packet, bpf_ntohs(udp.source_port), bpf_ntohs(udp.destination_port));
	return PARSE_FLOW;
}

/* Messages about a packet that did not arrive, which they carry the beginning of. */
static __always_inline int is_icmp_error(__u8 type, __u8 ipv6)
{
	return ipv6 ? type >= 1 && type <= 4 : type == 3 || type == 11 || type == 12;
}

static __always_inline int parse_icmp(struct __sk_buff *skb, __u32 at, __u32 length, struct packet *packet,
				      __u8 request, __u8 answer)
{
	struct icmp_words icmp;

	if (length < sizeof(icmp) || !READ(skb, at, icmp))
		return UNPARSED(TRANSPORT_TRUNCATED);
	if (packet->ipv6 && icmpv6_housekeeping(icmp.type))
		return PARSE_IGNORED;
	packet->icmp_type = icmp.type;
	packet->icmp_code = icmp.code;
	if (is_icmp_error(icmp.type, packet->ipv6))
		packet->embedded = at + sizeof(icmp);
	if (icmp.type == request || icmp.type == answer) {
		packet->key.local_port = bpf_ntohs(icmp.id);
		packet->key.remote_port = request;
		packet->chunk = icmp.type == request ? CHUNK_OPEN : CHUNK_OPEN_REPLY;
	} else {
		packet->key.local_port = icmp.type;
		packet->key.remote_port = icmp.code;
		packet->key.one_way = 1 + packet->outgoing;
	}
	return PARSE_FLOW;
}

static __always_inline int parse_sctp(struct __sk_buff *skb, __u32 at, __u32 length, struct packet *packet)
{
	struct sctp_words sctp;
	__u8 chunk;

	if (length < sizeof(sctp) || !READ(skb, at, sctp))
		return UNPARSED(TRANSPORT_TRUNCATED);
	set_ports(packet, bpf_ntohs(sctp.source_port), bpf_ntohs(sctp.destination_port));
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

/*
 * The rarer transports. Not static, so that the verifier checks it once by itself instead of once more for every way
 * that leads to it: loading takes a fraction of the time. TCP and UDP stay inline, a call costs them 8 ns.
 * Returns an enum parsed.
 */
__noinline int parse_other_transport(struct __sk_buff *skb, __u32 at, __u32 length, struct packet *packet)
{
	if (!packet || at > MAX_HEADERS) /* never; the verifier wants to see it */
		return UNPARSED(NETWORK_MALFORMED);
	switch (packet->key.protocol) {
	case PROTOCOL_ICMP:
		return parse_icmp(skb, at, length, packet, 8, 0);
	case PROTOCOL_ICMPV6:
		return parse_icmp(skb, at, length, packet, 128, 129);
	case PROTOCOL_SCTP:
		return parse_sctp(skb, at, length, packet);
	case PROTOCOL_IGMP:
		return packet->ipv6 ? PARSE_FLOW : PARSE_IGNORED;
	default:
		return PARSE_FLOW;
	}
}

static __always_inline void set_addresses(struct packet *packet, const union address *source,
					  const union address *destination)
{
	packet->key.local = packet->outgoing ? *source : *destination;
	packet->key.remote = packet->outgoing ? *destination : *source;
}

static __always_inline int parse_ipv4(struct __sk_buff *skb, struct packet *packet, struct transport *transport)
{
	union address source, destination;
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

	address_from_ipv4(&source, ip.saddr);
	address_from_ipv4(&destination, ip.daddr);
	set_addresses(packet, &source, &destination);
	packet->key.protocol = ip.protocol;
	offset = bpf_ntohs(ip.frag_off);
	transport->at = ETH_HLEN + header;
	transport->length = total - header;
	transport->fragment = !!(offset & 0x3fff);
	transport->later = !!(offset & 0x1fff);
	transport->fragment_id = ip.id;
	return PARSE_FLOW;
}

/* Whether a next-header number is that of an extension header we can step over. */
static __always_inline int extends(__u8 next)
{
	return next == PROTOCOL_HOP_BY_HOP || next == PROTOCOL_ROUTING || next == PROTOCOL_DESTINATION ||
	       next == PROTOCOL_FRAGMENT || next == PROTOCOL_AUTHENTICATION || next == PROTOCOL_MOBILITY ||
	       next == PROTOCOL_HIP || next == PROTOCOL_SHIM6;
}

/*
 * Steps over the extension header at transport->at. Not static for the verifier's sake.
 * @arg this its number
 * Returns the number of the header behind it, or 256 + an enum unparsed.
 */
__noinline int step_over(struct __sk_buff *skb, struct transport *transport, __u8 this)
{
	struct extension_words extension;
	__u32 length;

	if (!transport || transport->at > MAX_HEADERS) /* never; the verifier wants to see it */
		return 256 + UNPARSED_NETWORK_MALFORMED;
	if (transport->length < sizeof(extension) || !READ(skb, transport->at, extension))
		return 256 + UNPARSED_NETWORK_TRUNCATED;
	length = (extension.length + 1) * 8;
	if (this == PROTOCOL_FRAGMENT) {
		length = 8;
		transport->later = !!(bpf_ntohs(extension.offset) & 0xfff8);
		transport->fragment = transport->later || bpf_ntohs(extension.offset) & 1;
		transport->fragment_id = extension.id;
	} else if (this == PROTOCOL_AUTHENTICATION) {
		length = (extension.length + 2) * 4;
	}
	if (length > transport->length)
		return 256 + UNPARSED_NETWORK_TRUNCATED;
	transport->at += length;
	transport->length -= length;
	return extension.next;
}

/*
 * Follows a chain of extension headers and moves `transport` behind it.
 * @arg next the first one's number
 * Returns an enum parsed.
 */
static __always_inline int skip_extensions(struct __sk_buff *skb, struct packet *packet, struct transport *transport,
					   __u32 next)
{
	/* What follows in a later fragment belongs to the datagram as a whole. */
	for (int i = 0; i < MAX_EXTENSION_HEADERS && extends(next) && !transport->later; i++) {
		next = step_over(skb, transport, next);
		if (next > 255)
			return PARSE_UNPARSED + (next & (UNPARSED_COUNT - 1));
	}
	if (extends(next) && !transport->later)
		return UNPARSED(EXTENSION_HEADERS);
	packet->key.protocol = next;
	return PARSE_FLOW;
}

static __always_inline int parse_ipv6(struct __sk_buff *skb, struct packet *packet, struct transport *transport)
{
	struct ipv6hdr ip;

	if (!READ(skb, ETH_HLEN, ip))
		return UNPARSED(NETWORK_TRUNCATED);
	if (ip.version != 6)
		return UNPARSED(NETWORK_MALFORMED);
	transport->at = ETH_HLEN + sizeof(ip);
	transport->length = bpf_ntohs(ip.payload_len);
	/* A payload length of 0 before a real header is a jumbogram or a large GSO packet. */
	if (!ip.payload_len)
		transport->length = packet->bytes - sizeof(ip);
	if (transport->length + sizeof(ip) > packet->bytes)
		return UNPARSED(NETWORK_TRUNCATED);

	set_addresses(packet, (union address *)&ip.saddr, (union address *)&ip.daddr);
	packet->ipv6 = 1;
	packet->key.protocol = ip.nexthdr;
	if (extends(ip.nexthdr)) {
		/* A copy, so that the usual packet's stays in registers. */
		struct transport behind = *transport;
		int result = skip_extensions(skb, packet, &behind, ip.nexthdr);

		*transport = behind;
		return result;
	}
	return PARSE_FLOW;
}

/*
 * Any frame. Not static, so that the verifier checks it once by itself, and out of the way of the usual packet (plain.h), whose
 * code stays small.
 * @arg packet zeroed but for the way it goes, bytes, packets and interface; plain.h may have begun to fill it in
 * Returns an enum parsed; on PARSE_FLOW the packet is filled in.
 */
__noinline int parse(struct __sk_buff *skb, struct packet *packet)
{
	struct transport transport = {};
	__be16 ethertype;
	int result;

	if (!packet) /* never; the verifier wants to see it */
		return UNPARSED(NETWORK_MALFORMED);
	if (skb->len < ETH_HLEN)
		return UNPARSED(LINK_TRUNCATED);
	packet->ipv6 = 0;
	if (skb->vlan_present)
		return PARSE_NOT_IP;
	if (!READ(skb, ETH_HLEN - sizeof(ethertype), ethertype))
		return UNPARSED(LINK_TRUNCATED);
	if (ethertype == bpf_htons(ETH_P_IP))
		result = parse_ipv4(skb, packet, &transport);
	else if (ethertype == bpf_htons(ETH_P_IPV6))
		result = parse_ipv6(skb, packet, &transport);
	else
		return ethertype == bpf_htons(ETH_P_ARP) ? PARSE_IGNORED : PARSE_NOT_IP;
	if (result != PARSE_FLOW)
		return result;
	packet->later_fragment = transport.later;
	if (transport.later)
		return recall_fragment(packet, transport.fragment_id) ? UNPARSED(FRAGMENT_UNKNOWN) : PARSE_FLOW;
	if (transport.at > MAX_HEADERS) /* never; the verifier wants to see it */
		return UNPARSED(NETWORK_MALFORMED);

	packet->transport = transport.at;
	if (packet->key.protocol == PROTOCOL_TCP)
		result = parse_tcp(skb, &transport, packet);
	else if (packet->key.protocol == PROTOCOL_UDP)
		result = parse_udp(skb, &transport, packet);
	else
		result = parse_other_transport(skb, transport.at, transport.length, packet);
	if (transport.fragment && result == PARSE_FLOW)
		remember_fragment(packet, transport.fragment_id);
	return result;
}
