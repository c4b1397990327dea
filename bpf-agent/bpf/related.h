/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * ICMP errors follow the connection they are about; one about no known connection is judged as a message of its own. Their
 * entry in the connection table stands for all of one kind, so each is judged by itself.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "connection.h"
#include "drop.h"
#include "enforce.h"
#include "packet.h"
#include "parse.h"

struct embedded_ports {
	__be16 source;
	__be16 destination;
	__be16 id; /* ICMP echo: identifier */
	__be16 sequence;
};

/*
 * The key of the connection that the embedded packet belongs to. It went the other way: what an error that comes in is
 * about, the pod has sent.
 * Returns 0, or -1 when the embedded packet cannot be read.
 */
static __noinline int embedded_key(struct __sk_buff *skb, const struct packet *packet, struct connection_key *key)
{
	__u32 at = packet->embedded;
	struct embedded_ports ports;
	union address source, destination;
	__u8 type;

	if (packet->ipv6) {
		struct ipv6hdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)))
			return -1;
		__builtin_memcpy(&source, &ip.saddr, 16);
		__builtin_memcpy(&destination, &ip.daddr, 16);
		key->protocol = ip.nexthdr;
		at += sizeof(ip);
	} else {
		struct iphdr ip;

		if (bpf_skb_load_bytes(skb, at, &ip, sizeof(ip)) || ip.ihl < 5)
			return -1;
		address_from_ipv4(&source, ip.saddr);
		address_from_ipv4(&destination, ip.daddr);
		key->protocol = ip.protocol;
		at += ip.ihl * 4;
	}
	if (bpf_skb_load_bytes(skb, at, &ports, sizeof(ports)))
		return -1;
	key->interface_index = packet->key.interface_index;
	key->local = packet->outgoing ? destination : source;
	key->remote = packet->outgoing ? source : destination;
	switch (key->protocol) {
	case PROTOCOL_TCP:
	case PROTOCOL_UDP:
	case PROTOCOL_SCTP:
		key->local_port = bpf_ntohs(packet->outgoing ? ports.destination : ports.source);
		key->remote_port = bpf_ntohs(packet->outgoing ? ports.source : ports.destination);
		return 0;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		type = bpf_ntohs(ports.source) >> 8;
		key->local_port = bpf_ntohs(ports.id);
		key->remote_port = key->protocol == PROTOCOL_ICMP ? 8 : 128;
		return type == key->remote_port || type == (key->protocol == PROTOCOL_ICMP ? 0 : 129) ? 0 : -1;
	default:
		return 0;
	}
}

/* Sets packet->admitted, or packet->drop_reason and tells it. */
__noinline int judge_error(struct __sk_buff *skb, struct packet *packet)
{
	__u32 interface_index;
	const struct endpoint *endpoint;
	struct connection message = {};
	struct connection_key about = {};
	struct connection *connection;

	if (!packet) /* never; the verifier wants to see it */
		return 0;
	interface_index = packet->key.interface_index;
	endpoint = bpf_map_lookup_elem(&endpoints, &interface_index);
	packet->admitted = 1;
	if (!endpoint || !endpoint->flags)
		return 0;
	if (!is_spoofed(endpoint, packet) && embedded_key(skb, packet, &about) == 0) {
		connection = bpf_map_lookup_elem(&connections, &about);
		if (connection && !connection->drop_reason)
			return 0;
	}
	message.egress = packet->outgoing;
	message.icmp_type = packet->icmp_type;
	set_identities(&packet->key, &message, endpoint, 0);
	packet->drop_reason = admit(endpoint, packet, &message);
	if (packet->drop_reason)
		tell_drop(packet, &message);
	return 0;
}
