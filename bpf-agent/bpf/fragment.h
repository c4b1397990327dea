/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Only a datagram's first fragment carries ports: they are remembered for those that follow. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "packet.h"

struct fragment_key {
	union address local;
	union address remote;
	__u32 id;
	__u8 protocol;
	__u8 outgoing;
	__u16 reserved;
};

struct fragment_ports {
	__u16 local_port;
	__u16 remote_port;
	__u8 one_way;
	__u8 chunk;
	__u8 icmp_type;
	__u8 icmp_code;
};

/* Inserted by a first fragment, read by later ones; old ones fall out by LRU. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct fragment_key);
	__type(value, struct fragment_ports);
} fragments SEC(".maps");

static __always_inline void fragment_key_of(struct fragment_key *key, const struct packet *packet, __u32 id)
{
	key->local = packet->key.local;
	key->remote = packet->key.remote;
	key->id = id;
	key->protocol = packet->key.protocol;
	key->outgoing = packet->outgoing;
}

static __noinline void remember_fragment(const struct packet *packet, __u32 id)
{
	struct fragment_key key = {};
	struct fragment_ports ports = {
		.local_port = packet->key.local_port,
		.remote_port = packet->key.remote_port,
		.one_way = packet->key.one_way,
		.chunk = packet->chunk,
		.icmp_type = packet->icmp_type,
		.icmp_code = packet->icmp_code,
	};

	fragment_key_of(&key, packet, id);
	bpf_map_update_elem(&fragments, &key, &ports, BPF_ANY);
}

/* Returns 0 when the first fragment was seen and the packet now has its ports, else -1. */
static __noinline int recall_fragment(struct packet *packet, __u32 id)
{
	struct fragment_key key = {};
	struct fragment_ports *ports;

	fragment_key_of(&key, packet, id);
	ports = bpf_map_lookup_elem(&fragments, &key);
	if (!ports)
		return -1;
	packet->key.local_port = ports->local_port;
	packet->key.remote_port = ports->remote_port;
	packet->key.one_way = ports->one_way;
	packet->chunk = ports->chunk;
	packet->icmp_type = ports->icmp_type;
	packet->icmp_code = ports->icmp_code;
	return 0;
}
