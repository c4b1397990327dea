// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* What BPF_PROG_TEST_RUN itself costs per round. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int empty(struct __sk_buff *skb)
{
	return -1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
