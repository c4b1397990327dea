/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Services: frontend → one of its backends. A Service's backends stand in numbered slots of a set; the agent fills a new set
 * completely before it gives its number to the frontend, so that a look-up costs the same for one Service as for ten thousand,
 * and no connection meets a half-changed one.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "address.h"
#include "clock.h"
#include "identity.h"

struct service_key {
	union address address;
	__be16 port;
	__u8 protocol;
	__u8 reserved;
};

/* Bits of service.flags. */
#define SERVICE_MAGLEV 0x1u   /* the slot is the client's, else a random one */

struct service {
	__u32 id;               /* node-local number of the frontend, never 0 nor used again */
	__u32 set;              /* whose slots */
	__u32 slots;            /* 0 = no backend is ready */
	__u32 affinity_seconds; /* a client stays with its backend until it was silent for this long; 0 = it does not */
	__u32 flags;            /* SERVICE_… */
};

/* Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct service_key);
	__type(value, struct service);
} services SEC(".maps");

struct slot_key {
	__u32 set;
	__u32 slot;
};

/* Slot → backend id. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 524288);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct slot_key);
	__type(value, __u32);
} service_slots SEC(".maps");

enum backend_state {
	BACKEND_READY = 1,
	BACKEND_TERMINATING = 2, /* keeps who is with it, gets nobody new */
};

struct backend {
	union address address;
	__be16 port;
	__u8 state;   /* enum backend_state */
	__u8 local;    /* 1 = it runs on this node */
	__u32 service; /* id of its frontend */
};

/* By backend id, which is never used again. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 524288);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct backend);
} service_backends SEC(".maps");

/* Ranges that Services' addresses are taken from. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 64);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix_key);
	__type(value, __u32);
} service_ranges SEC(".maps");

struct affinity_key {
	__u64 client; /* cookie of its network namespace */
	__u32 service;
	__u32 reserved;
};

struct affinity {
	__u64 last_used; /* table clock, ns */
	__u32 backend;
	__u32 reserved;
};

/* Inserted by the programs, read by both; what is old is evicted. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct affinity_key);
	__type(value, struct affinity);
} service_affinity SEC(".maps");

/* What a socket's peer stands for: the peer as the kernel knows it → the frontend the program asked for. */
struct translation_key {
	__u64 socket; /* its cookie */
	union address address;
	__be16 port;
	__u8 protocol;
	__u8 reserved[5];
};

struct translation {
	union address address; /* of the frontend */
	__be16 port;
	__u8 connected;        /* 1 = connect(), 0 = sendto() */
	__u8 reserved;
	__u32 service;
	__u32 backend;
	__u32 process;         /* who asked; by it the agent finds the socket */
	__u64 netns;           /* cookie of the socket's network namespace */
};

/* Inserted by the programs, deleted when the socket is released (or evicted), read by both. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, struct translation_key);
	__type(value, struct translation);
} translations SEC(".maps");

/* Which backend an unconnected socket sends to for a frontend: key.address and port are the frontend's. Same owners. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct translation_key);
	__type(value, __u32);
} datagram_backends SEC(".maps");

/* Cookie of a pod's network namespace → interface index of its endpoint. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, __u32);
} client_namespaces SEC(".maps");

/* Whether an address is of a range that Services' addresses are taken from. */
static __noinline int in_service_range(const union address *address)
{
	struct prefix_key key = { .prefix_length = 128 };

	key.address = *address;
	return bpf_map_lookup_elem(&service_ranges, &key) != 0;
}

/* The same client gets the same slot of a set, whatever else changes: 64-bit finalizer of MurmurHash3. */
static __always_inline __u32 hash_client(__u64 client, __u32 service)
{
	client ^= (__u64)service << 32;
	client ^= client >> 33;
	client *= 0xff51afd7ed558ccdULL;
	client ^= client >> 33;
	client *= 0xc4ceb9fe1a85ec53ULL;
	client ^= client >> 33;
	return client;
}

/*
 * A backend for a new connection:
 *   1. the one the client has been with, while that is ready and the client was not silent for too long
 *   2. the one in the client's slot (Maglev), or in a random slot
 * @arg client whose connections belong together: cookie of its network namespace
 * Returns a backend id, or 0 when there is none.
 */
static __noinline __u32 choose_backend(const struct service *service, __u64 client)
{
	struct affinity_key affinity_key = { .client = client, .service = service->id };
	__u64 now = bpf_ktime_get_ns(), lasts = (__u64)service->affinity_seconds * 1000000000ULL;
	struct slot_key slot = { .set = service->set };
	struct affinity *affinity;
	struct backend *backend;
	struct affinity fresh;
	__u32 *id, chosen;

	if (lasts) {
		affinity = bpf_map_lookup_elem(&service_affinity, &affinity_key);
		if (affinity && now - affinity->last_used < lasts) {
			chosen = affinity->backend;
			backend = bpf_map_lookup_elem(&service_backends, &chosen);
			if (backend && backend->state == BACKEND_READY) {
				affinity->last_used = now;
				return chosen; /* [1] */
			}
		}
	}
	if (!service->slots)
		return 0;
	slot.slot = (service->flags & SERVICE_MAGLEV ? hash_client(client, service->id) : bpf_get_prandom_u32()) %
		    service->slots;
	id = bpf_map_lookup_elem(&service_slots, &slot); /* [2] */
	if (!id)
		return 0;
	chosen = *id;
	if (lasts) {
		fresh.last_used = now;
		fresh.backend = chosen;
		fresh.reserved = 0;
		bpf_map_update_elem(&service_affinity, &affinity_key, &fresh, BPF_ANY);
	}
	return chosen;
}

/* The service whose frontend the sender of this packet asked for; 0 = none. Known only where the sender's socket is seen. */
static __noinline __u32 service_of(struct __sk_buff *skb, const struct connection_key *connection)
{
	struct translation_key key = {
		.socket = bpf_get_socket_cookie(skb),
		.address = connection->remote,
		.port = bpf_htons(connection->remote_port),
		.protocol = connection->protocol,
	};
	const struct translation *translation;

	if (!key.socket)
		return 0;
	translation = bpf_map_lookup_elem(&translations, &key);
	return translation ? translation->service : 0;
}
