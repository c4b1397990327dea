/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What an agent leaves for the next one, so that a restart can tell the gap. No program reads it. */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>

struct agent_state {
	__u64 boot_id;       /* of the agent that wrote last; 0 = none ever */
	__u64 last_sequence; /* of its flows */
	__u64 alive_at;      /* wall clock, milliseconds since 1970 */
	__u64 stopped_at;    /* the same; 0 = it runs, or did not stop by itself */
};

/* One entry. Written and read by agents. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct agent_state);
} agent SEC(".maps");
