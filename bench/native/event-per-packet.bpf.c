// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The datapath with a clock of which every reading is later than the one before. Loaded with a record interval of 0, each
 * packet of an established connection then writes a record: what "with event" costs, and a feed for the ring.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

static __u64 ticks;
#define bpf_jiffies64() (++ticks)

#include "../../bpf-agent/bpf/waggle.bpf.c"
