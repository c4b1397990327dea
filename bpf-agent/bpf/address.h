/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* One address form for both families: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
#pragma once

#include <bpf/bpf_endian.h>
#include <linux/types.h>

/* Aligned to 4 bytes, so that the map keys that hold it have no padding. */
union address {
	__u8 bytes[16];
	__u32 words[4];
};

static __always_inline int is_ipv4(const union address *address)
{
	return address->words[0] == 0 && address->words[1] == 0 && address->words[2] == bpf_htonl(0xffff);
}

/* Both 8-aligned, as in connection_key and flow_record: two wide moves instead of four. */
static __always_inline void copy_address(void *to, const union address *from)
{
	((__u64 *)to)[0] = ((const __u64 *)from)[0];
	((__u64 *)to)[1] = ((const __u64 *)from)[1];
}

/*
 * @arg to      filled in
 * @arg address IPv4 address in network order
 */
static __always_inline void address_from_ipv4(union address *to, __be32 address)
{
	to->words[0] = 0;
	to->words[1] = 0;
	to->words[2] = bpf_htonl(0xffff);
	to->words[3] = address;
}
