/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The usual frame, parsed in place: no VLAN tag, IPv4 without options or IPv6 without extension headers, TCP or UDP, no fragment,
 * headers in the linear part. Everything else, and whatever looks wrong, is left to parse.h, which says why.
 */
#pragma once

#include <bpf/bpf_endian.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "likely.h"
#include "packet.h"
#include "parse.h"

/* Returns 1 when the packet is filled in. @arg length of header and payload; at least a TCP header is within the frame */
static __always_inline int plain_transport(const struct tcp_words *tcp, __u32 length, struct packet *packet)
{
	__u32 header;

	if (likely(packet->key.protocol == PROTOCOL_TCP)) {
		header = (tcp->data_offset >> 4) * 4;
		if (unlikely(header < sizeof(*tcp) || header > length))
			return 0;
		read_tcp(tcp, length - header, packet);
		return 1;
	}
	if (packet->key.protocol == PROTOCOL_UDP) {
		const struct udp_words *udp = (const void *)tcp;

		if (length < sizeof(*udp) || (udp->length && bpf_ntohs(udp->length) < sizeof(*udp)))
			return 0;
		set_ports(packet, bpf_ntohs(udp->source_port), bpf_ntohs(udp->destination_port));
		return 1;
	}
	return 0;
}

/*
 * @arg packet zeroed but for bytes, packets and interface; what is filled in when 0 is returned does not count
 * Returns 1 when the packet is filled in.
 */
static __always_inline int parse_plain(struct __sk_buff *skb, struct packet *packet, const int outgoing)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	union address *source = outgoing ? &packet->key.local : &packet->key.remote;
	union address *destination = outgoing ? &packet->key.remote : &packet->key.local;
	struct iphdr *ip = data + ETH_HLEN;
	struct ipv6hdr *ip6 = data + ETH_HLEN;
	struct tcp_words *tcp = (void *)(ip + 1), *tcp6 = (void *)(ip6 + 1);
	__be16 *ethertype = data + ETH_HLEN - sizeof(*ethertype);
	__u32 total;

	if (unlikely((void *)(tcp + 1) > end || skb->vlan_present))
		return 0;
	if (likely(*ethertype == bpf_htons(ETH_P_IP))) {
		total = bpf_ntohs(ip->tot_len);
		if (unlikely(*(__u8 *)ip != 0x45 || ip->frag_off & bpf_htons(0x3fff) || total < sizeof(*ip) || total > packet->bytes))
			return 0;
		address_from_ipv4(source, ip->saddr);
		address_from_ipv4(destination, ip->daddr);
		packet->key.protocol = ip->protocol;
		return plain_transport(tcp, total - sizeof(*ip), packet);
	}
	if (*ethertype == bpf_htons(ETH_P_IPV6) && (void *)(tcp6 + 1) <= end) {
		total = bpf_ntohs(ip6->payload_len);
		if (*(__u8 *)ip6 >> 4 != 6 || !total || total + sizeof(*ip6) > packet->bytes)
			return 0;
		__builtin_memcpy(source, &ip6->saddr, 16);
		__builtin_memcpy(destination, &ip6->daddr, 16);
		packet->ipv6 = 1;
		packet->key.protocol = ip6->nexthdr;
		return plain_transport(tcp6, total, packet);
	}
	return 0;
}
