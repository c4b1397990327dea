/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The pods of this node: which interface belongs to which endpoint. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

struct endpoint {
	__u32 id;       /* node-local endpoint number, never 0 */
	__u32 identity; /* security identity of the pod's label set */
};

/* Key: interface index of the host side of the pod's veth. Inserted and deleted by the agent, read by the programs. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct endpoint);
} endpoints SEC(".maps");
