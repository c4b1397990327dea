/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Only a datagram's first fragment carries ports: they are remembered for those that follow. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "packet.h"

struct fragment_key {
	union address source;
	union address destination;
	__u32 id;
	__u8 protocol;
	__u8 reserved[3];
};

struct fragment_ports {
	__u16 source_port;
	__u16 destination_port;
	__u16 echo_id;
	__u8 chunk;
	__u8 echo;
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
	key->source = packet->source;
	key->destination = packet->destination;
	key->id = id;
	key->protocol = packet->protocol;
}

static __noinline void remember_fragment(const struct packet *packet, __u32 id)
{
	struct fragment_key key = {};
	struct fragment_ports ports = {
		.source_port = packet->source_port,
		.destination_port = packet->destination_port,
		.echo_id = packet->echo_id,
		.chunk = packet->chunk,
		.echo = packet->echo,
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
	packet->source_port = ports->source_port;
	packet->destination_port = ports->destination_port;
	packet->echo_id = ports->echo_id;
	packet->chunk = ports->chunk;
	packet->echo = ports->echo;
	return 0;
}
