/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What the datapath saw and what it could not say: one set of counters per CPU, summed by the agent. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

#include "record.h"

/* Why a packet could not be parsed. It passes all the same, unless the endpoint is guarded. */
enum unparsed {
	UNPARSED_LINK_TRUNCATED = 0,
	UNPARSED_NETWORK_TRUNCATED = 1,   /* IP header, or the length it claims, beyond the frame */
	UNPARSED_NETWORK_MALFORMED = 2,   /* version or header length impossible */
	UNPARSED_TRANSPORT_TRUNCATED = 3,
	UNPARSED_TRANSPORT_MALFORMED = 4, /* TCP data offset or UDP length impossible */
	UNPARSED_EXTENSION_HEADERS = 5,   /* IPv6: longer chain than we follow */
	UNPARSED_FRAGMENT_UNKNOWN = 6,    /* later fragment whose first one was not seen */
	UNPARSED_COUNT = 8,
};

/* What packets are dropped for, as counted. */
enum dropped {
	DROPPED_POLICY_DENIED = 0,
	DROPPED_POLICY_DENY = 1,
	DROPPED_INVALID_SOURCE = 2,
	DROPPED_INVALID_PACKET = 3, /* malformed in any way */
	DROPPED_NOT_READY = 4,
	DROPPED_UNROUTABLE = 5,
	DROPPED_NO_SERVICE_BACKEND = 6, /* connections: they are refused before there is a packet */
	DROPPED_SOURCE_RANGE = 7,
	DROPPED_COUNT = 8,
};

struct datapath_counters {
	__u64 packets;                   /* every packet that reached a hook */
	__u64 ignored;                   /* ARP, NDP, MLD, IGMP: the network's own housekeeping */
	__u64 not_ip;                    /* VLAN-tagged frames and other link protocols */
	__u64 unparsed[UNPARSED_COUNT];
	__u64 ring_full[TRIGGER_COUNT];  /* records that found no room, by trigger */
	__u64 connections_created;
	__u64 connections_ended;
	__u64 connections_refused;       /* the connection table took no entry */
	__u64 dropped[DROPPED_COUNT];    /* packets, by enum dropped */
};

/* Inserted once (array). Written by the programs, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct datapath_counters);
} counters SEC(".maps");

static __always_inline struct datapath_counters *own_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/* Atomic, because the sweep runs in process context, where a packet's softirq may come between. */
static __always_inline void count(__u64 *counter)
{
	__sync_fetch_and_add(counter, 1);
}
