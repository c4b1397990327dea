/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The node's uplink: what clients outside send to Services, and what they are answered (external.h says how). */
#pragma once

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "external-open.h"
#include "external.h"
#include "parse.h"
#include "related.h"
#include "rewrite.h"

/* What becomes of the packet. */
enum onward {
	ONWARD_UNTOUCHED = 0,
	ONWARD_STACK = 1, /* exchanged; the stack takes it on */
	ONWARD_SEND = 2,  /* exchanged; to be sent on from here */
	ONWARD_DROP = 3,
};

/* Whether an entry is for packets of this hook: answers of own pods go out, everything else comes in. */
static __always_inline int of_hook(const struct external_connection *entry, __u32 outgoing)
{
	return outgoing == (entry->way == REPLY && !entry->masked);
}

/* Returns an enum onward. Not static, so that the verifier checks it once by itself. */
__noinline int rewrite_packet(struct __sk_buff *skb, const struct packet *packet, const struct external_connection *entry)
{
	struct checksum checksum;
	long error;

	if (!packet || !entry) /* never; the verifier wants to see it */
		return ONWARD_DROP;
	checksum = transport_checksum(packet);
	error = rewrite_address(skb, packet, &entry->source, 1, &checksum);

	error |= rewrite_address(skb, packet, &entry->destination, 0, &checksum);
	if (checksum.at) {
		error |= rewrite_port(skb, packet->transport, entry->source_port, &checksum);
		error |= rewrite_port(skb, packet->transport + 2, entry->destination_port, &checksum);
	}
	if (error)
		return ONWARD_DROP;
	return entry->masked ? ONWARD_SEND : ONWARD_STACK;
}

/* The packet an error is about went the other way: its source is the entry's destination. */
static __noinline int rewrite_embedded(struct __sk_buff *skb, const struct packet *packet,
				       const struct external_connection *entry)
{
	struct checksum nothing = {}, checksum = { .at = packet->transport + ICMP_CHECKSUM };
	__u32 at = packet->embedded, ports = at + sizeof(struct ipv6hdr);
	long error;
	__u8 first;

	if (packet->ipv6) {
		error = rewrite_ipv6(skb, at + IPV6_SOURCE, &entry->destination, &checksum, 1);
		error |= rewrite_ipv6(skb, at + IPV6_DESTINATION, &entry->source, &checksum, 1);
	} else {
		if (bpf_skb_load_bytes(skb, at, &first, sizeof(first)))
			return -1;
		ports = at + (first & 15) * 4;
		/* Its own checksum makes up for the change, so the message's stays. */
		error = rewrite_ipv4(skb, at, IPV4_SOURCE, entry->destination.words[3], &nothing);
		error |= rewrite_ipv4(skb, at, IPV4_DESTINATION, entry->source.words[3], &nothing);
	}
	error |= rewrite_port(skb, ports, entry->destination_port, &checksum);
	error |= rewrite_port(skb, ports + 2, entry->source_port, &checksum);
	return error ? -1 : 0;
}

/* An ICMP error about a packet of ours: it goes to who sent that, and is about what they sent. Returns an enum onward. Not static, likewise. */
__noinline int translate_error(struct __sk_buff *skb, const struct packet *packet)
{
	const struct external_connection *entry;
	struct connection_key about = {};
	struct external_key key = {};
	const union address *sender;
	struct checksum checksum;

	if (!packet) /* never; the verifier wants to see it */
		return ONWARD_UNTOUCHED;
	sender = packet->outgoing ? &packet->key.local : &packet->key.remote;
	checksum = transport_checksum(packet);
	if (embedded_key(skb, packet, &about))
		return ONWARD_UNTOUCHED;
	/* embedded_key() has turned it round once: what an error that comes in is about went out from `local`. */
	key.source = packet->outgoing ? about.local : about.remote;
	key.destination = packet->outgoing ? about.remote : about.local;
	key.source_port = bpf_htons(packet->outgoing ? about.local_port : about.remote_port);
	key.destination_port = bpf_htons(packet->outgoing ? about.remote_port : about.local_port);
	key.protocol = about.protocol;
	if (key.protocol != PROTOCOL_TCP && key.protocol != PROTOCOL_UDP)
		return ONWARD_UNTOUCHED;
	entry = bpf_map_lookup_elem(&external_connections, &key);
	if (!entry || !of_hook(entry, packet->outgoing))
		return ONWARD_UNTOUCHED;
	if (rewrite_embedded(skb, packet, entry))
		return ONWARD_DROP;
	/* A router on the way speaks for itself; the other end is known by its other address. */
	if (same_address(sender, &key.source) && rewrite_address(skb, packet, &entry->source, 1, &checksum))
		return ONWARD_DROP;
	if (rewrite_address(skb, packet, &entry->destination, 0, &checksum))
		return ONWARD_DROP;
	return entry->masked ? ONWARD_SEND : ONWARD_STACK;
}

/* One flow for what a Service does not take. */
static __noinline void tell_external_drop(struct packet *packet, __u32 service)
{
	struct connection connection = { .service = service };

	connection.source_identity = identity_of(&packet->key.remote);
	connection.destination_identity = identity_of(&packet->key.local);
	tell_drop(packet, &connection);
}

/* Nobody outside has such an address: the stack knows what to do with it. */
static __always_inline int is_no_client(const union address *address, __u32 ipv6)
{
	__u32 zero = 0, first = ipv6 ? address->bytes[0] : address->bytes[12];
	const struct uplink *own = bpf_map_lookup_elem(&uplink, &zero);

	if (!own || same_address(address, &own->own[0]) || same_address(address, &own->own[1]))
		return 1;
	if (ipv6)
		return first == 0xff || (!address->words[0] && !address->words[1] && !address->words[2]);
	return first == 0 || first == 127 || first >= 224;
}

/*
 * A packet to a Service that has no entry, or none that still holds.
 * Returns an enum onward; on ONWARD_DROP packet->drop_reason is set, and told. Not static, likewise.
 */
__noinline int open_external(struct packet *packet)
{
	struct external_connection fresh = {};
	struct external_range_key range = {};
	struct service_key service_key = {};
	const struct service *service;
	struct external_key key;

	if (!packet) /* never; the verifier wants to see it */
		return ONWARD_UNTOUCHED;
	external_key_of(&key, packet);
	service_key.address = key.destination;
	service_key.port = key.destination_port;
	service_key.protocol = key.protocol;
	service = bpf_map_lookup_elem(&external_services, &service_key);
	if (!service || is_no_client(&key.source, packet->ipv6))
		return ONWARD_UNTOUCHED;
	range.prefix_length = 160;
	range.service = service->id;
	range.address = key.source;
	fresh.last_seen = ticks_now();
	fresh.state = STATE_SEEN << ORIGINAL;
	fresh.service = service->id;
	if (service->flags & SERVICE_RANGES && !bpf_map_lookup_elem(&external_ranges, &range)) {
		packet->drop_reason = DROP_SOURCE_RANGE;
	} else {
		packet->drop_reason = place_external(&key, service, &fresh);
		if (!packet->drop_reason && bpf_map_update_elem(&external_connections, &key, &fresh, BPF_ANY))
			packet->drop_reason = DROP_NO_NAT_MAPPING;
		if (!packet->drop_reason)
			count_external(EXTERNAL_ENTERED);
	}
	if (!packet->drop_reason)
		return ONWARD_STACK;
	tell_external_drop(packet, service->id);
	/* Nobody listens on a node port, so the stack refuses at once. What others balance over the nodes is to try the next one. */
	if (packet->drop_reason == DROP_NO_SERVICE_BACKEND && service->flags & SERVICE_NODE_PORT &&
	    !(service->flags & SERVICE_LOCAL))
		return ONWARD_UNTOUCHED;
	return ONWARD_DROP;
}

/* Whether the packet opens a connection in place of the one its ends had before. */
static __always_inline int replaces(const struct packet *packet, const struct external_key *key,
				    const struct external_connection *entry)
{
	__u32 backend = entry->backend;
	int udp = key->protocol == PROTOCOL_UDP;

	if (!udp && !opens_anew(packet))
		return 0;
	return entry->state & STATE_CLOSED || (entry->state & STATE_BOTH_FIN) == STATE_BOTH_FIN ||
	       external_is_over(key, entry) || !bpf_map_lookup_elem(&service_backends, &backend);
}

static __noinline void forget_external(const struct external_key *key, const struct external_connection *entry)
{
	struct external_key back;

	external_key_back(&back, key, entry);
	if (!bpf_map_delete_elem(&external_connections, &back))
		count_external(EXTERNAL_LEFT);
	if (!bpf_map_delete_elem(&external_connections, key))
		count_external(EXTERNAL_LEFT);
}

/* A packet that has an entry, or gets one. Returns an enum onward. */
static __always_inline int translate_external(struct __sk_buff *skb, struct packet *packet, const int outgoing)
{
	struct external_connection *entry;
	struct external_key key;
	int result;

	if (packet->embedded)
		return translate_error(skb, packet);
	if (packet->key.protocol != PROTOCOL_TCP && packet->key.protocol != PROTOCOL_UDP)
		return ONWARD_UNTOUCHED;
	external_key_of(&key, packet);
	entry = bpf_map_lookup_elem(&external_connections, &key);
	if (entry && !of_hook(entry, outgoing))
		return ONWARD_UNTOUCHED;
	if (!outgoing && entry && entry->way == ORIGINAL && replaces(packet, &key, entry)) {
		forget_external(&key, entry);
		entry = 0;
	}
	if (!entry) {
		if (outgoing || packet->later_fragment)
			return ONWARD_UNTOUCHED;
		result = open_external(packet);
		if (result != ONWARD_STACK)
			return result;
		entry = bpf_map_lookup_elem(&external_connections, &key);
		if (!entry)
			return ONWARD_DROP;
	}
	touch_external(&key, entry, packet->tcp_flags);
	return rewrite_packet(skb, packet, entry);
}

#define FIB_NO_NEIGHBOUR 7

/* The interface that leads to where the packet is to go now; that it came in at, when the routes do not say. */
static __noinline __u32 interface_onward(struct __sk_buff *skb, const struct packet *packet)
{
	struct bpf_fib_lookup fib = { .ifindex = skb->ifindex };
	long result;

	if (packet->ipv6) {
		fib.family = 10;
		if (bpf_skb_load_bytes(skb, ETH_HLEN + IPV6_SOURCE, fib.ipv6_src, 16) ||
		    bpf_skb_load_bytes(skb, ETH_HLEN + IPV6_DESTINATION, fib.ipv6_dst, 16))
			return skb->ifindex;
	} else {
		fib.family = 2;
		if (bpf_skb_load_bytes(skb, ETH_HLEN + IPV4_SOURCE, &fib.ipv4_src, 4) ||
		    bpf_skb_load_bytes(skb, ETH_HLEN + IPV4_DESTINATION, &fib.ipv4_dst, 4))
			return skb->ifindex;
	}
	result = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	return result == 0 || result == FIB_NO_NEIGHBOUR ? fib.ifindex : skb->ifindex;
}

/* As a router would. Returns 0 when the packet has come far enough. */
static __noinline int pass_on(struct __sk_buff *skb, const struct packet *packet)
{
	__u32 at = ETH_HLEN + (packet->ipv6 ? 7 : 8);
	__u8 limit[2];
	__be16 from, to;

	if (bpf_skb_load_bytes(skb, at, limit, sizeof(limit)) || limit[0] <= 1)
		return 0;
	if (packet->ipv6) {
		limit[0]--;
		return !bpf_skb_store_bytes(skb, at, limit, 1, BPF_F_RECOMPUTE_CSUM);
	}
	__builtin_memcpy(&from, limit, sizeof(from));
	limit[0]--;
	__builtin_memcpy(&to, limit, sizeof(to));
	return !bpf_l3_csum_replace(skb, ETH_HLEN + IPV4_CHECKSUM, from, to, sizeof(to)) &&
	       !bpf_skb_store_bytes(skb, at, limit, 1, 0);
}

static __always_inline int translate_at_uplink(struct __sk_buff *skb, const int outgoing)
{
	struct packet packet = { .outgoing = outgoing };

	if (!outgoing && skb->pkt_type != PACKET_HOST)
		return TCX_NEXT;
	packet.bytes = skb->len - ETH_HLEN;
	packet.packets = skb->gso_segs ? skb->gso_segs : 1;
	packet.key.interface_index = skb->ifindex;
	if (parse(skb, &packet) != PARSE_FLOW)
		return TCX_NEXT;
	switch (translate_external(skb, &packet, outgoing)) {
	case ONWARD_SEND:
		if (!pass_on(skb, &packet))
			return TC_ACT_SHOT;
		return bpf_redirect_neigh(interface_onward(skb, &packet), 0, 0, 0);
	case ONWARD_DROP:
		return TC_ACT_SHOT;
	default:
		return TCX_NEXT;
	}
}
