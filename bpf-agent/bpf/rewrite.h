/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Exchanging addresses and ports of a packet in place. Checksums are changed by the difference, never made anew: one that was
 * wrong stays wrong, and one that is left to the hardware stays so.
 */
#pragma once

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include "address.h"
#include "packet.h"

#define IPV4_CHECKSUM 10
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV6_SOURCE 8
#define IPV6_DESTINATION 24
#define TCP_CHECKSUM 16
#define UDP_CHECKSUM 6
#define ICMP_CHECKSUM 2

/* Where what covers a changed field stands in the frame. */
struct checksum {
	__u32 at;    /* 0 = nothing covers it (a later fragment) */
	__u64 flags; /* BPF_F_MARK_MANGLED_0 for UDP, whose 0 says that there is none */
};

/* Where the checksum of the packet's transport header is, given where that header begins. */
static __always_inline struct checksum transport_checksum(const struct packet *packet)
{
	struct checksum checksum = {};

	if (packet->later_fragment)
		return checksum;
	if (packet->key.protocol == PROTOCOL_TCP)
		checksum.at = packet->transport + TCP_CHECKSUM;
	if (packet->key.protocol == PROTOCOL_UDP) {
		checksum.at = packet->transport + UDP_CHECKSUM;
		checksum.flags = BPF_F_MARK_MANGLED_0;
	}
	if (packet->key.protocol == PROTOCOL_ICMPV6)
		checksum.at = packet->transport + ICMP_CHECKSUM;
	return checksum;
}

/*
 * @arg header   where in the frame the IPv4 header begins
 * @arg field    IPV4_SOURCE or IPV4_DESTINATION
 * @arg checksum of the transport header, which covers it as well
 */
static __always_inline long rewrite_ipv4(struct __sk_buff *skb, __u32 header, __u32 field, __be32 to,
					 const struct checksum *checksum)
{
	__be32 from;
	long error = bpf_skb_load_bytes(skb, header + field, &from, sizeof(from));

	if (error || from == to)
		return error;
	if (checksum->at)
		error = bpf_l4_csum_replace(skb, checksum->at, from, to, BPF_F_PSEUDO_HDR | checksum->flags | sizeof(to));
	error |= bpf_l3_csum_replace(skb, header + IPV4_CHECKSUM, from, to, sizeof(to));
	return error | bpf_skb_store_bytes(skb, header + field, &to, sizeof(to), 0);
}

/*
 * The same for IPv6, whose header has no checksum of its own.
 * @arg within the header lies in what the checksum is over (ICMPv6 errors), not in front of it
 */
static __always_inline long rewrite_ipv6(struct __sk_buff *skb, __u32 at, const union address *to,
					 const struct checksum *checksum, const int within)
{
	union address from;
	long error = bpf_skb_load_bytes(skb, at, &from, sizeof(from));
	__s64 difference;

	if (error)
		return error;
	difference = bpf_csum_diff(from.words, sizeof(from), (__u32 *)to->words, sizeof(*to), 0);
	if (difference < 0)
		return difference;
	if (checksum->at)
		error = bpf_l4_csum_replace(skb, checksum->at, 0, difference, (within ? 0 : BPF_F_PSEUDO_HDR) | checksum->flags);
	return error | bpf_skb_store_bytes(skb, at, to, sizeof(*to), within ? 0 : BPF_F_RECOMPUTE_CSUM);
}

/* @arg at where in the frame the port is */
static __always_inline long rewrite_port(struct __sk_buff *skb, __u32 at, __be16 to, const struct checksum *checksum)
{
	__be16 from;
	long error = bpf_skb_load_bytes(skb, at, &from, sizeof(from));

	if (error || from == to || !checksum->at)
		return error;
	error = bpf_l4_csum_replace(skb, checksum->at, from, to, checksum->flags | sizeof(to));
	return error | bpf_skb_store_bytes(skb, at, &to, sizeof(to), 0);
}

/* Exchanges one end of the packet. @arg is_source which */
static __always_inline long rewrite_address(struct __sk_buff *skb, const struct packet *packet, const union address *to,
					    const int is_source, const struct checksum *checksum)
{
	if (packet->ipv6)
		return rewrite_ipv6(skb, ETH_HLEN + (is_source ? IPV6_SOURCE : IPV6_DESTINATION), to, checksum, 0);
	return rewrite_ipv4(skb, ETH_HLEN, is_source ? IPV4_SOURCE : IPV4_DESTINATION, to->words[3], checksum);
}
