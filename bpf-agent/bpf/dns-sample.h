/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Copies of what pods' DNS servers answer, for the agent to learn names of addresses from. The packet goes on as if nobody had
 * looked. The ring is the budget: it is read on a timer, and what finds no room in it is counted and not copied.
 */
#pragma once

#include <bpf/bpf_helpers.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>

#include "clock.h"
#include "connection.h"
#include "packet.h"

#define DNS_PORT 53
#define DNS_HEADER 12

/* What is copied of a message, at most: more than thirty addresses, and all that DNS without extensions sends by UDP. */
#define DNS_PAYLOAD 512

/* Fixed size, 8-aligned, host byte order; addresses as in record.h. Twin: bpf-agent/maps/dns-samples.ts. */
struct dns_sample {
	__u64 time;              /*  0: ktime */
	__u8 client_address[16]; /*  8: the pod's */
	__u8 server_address[16]; /* 24 */
	__u32 client_identity;   /* 40 */
	__u32 server_identity;   /* 44 */
	__u32 interface_index;   /* 48 */
	__u16 length;            /* 52: bytes of payload that are copied */
	__u16 whole;             /* 54: bytes that the message has */
	__u8 payload[DNS_PAYLOAD];
};

_Static_assert(sizeof(struct dns_sample) == 56 + DNS_PAYLOAD, "no padding");

/* Room for 455. The agent maps it and reads it on a timer; nobody is ever woken. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} dns_samples SEC(".maps");

/* Answers: [0] copied, [1] for which there was no room. Written by the programs, read by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} dns_sample_counts SEC(".maps");

/*
 * Whether a packet may be an answer to what the pod has asked a DNS server: UDP that comes back on a connection the pod
 * opened to the port. What comes unasked teaches nothing.
 */
static __always_inline int may_answer_dns(const struct packet *packet, const struct connection *connection, __u32 way)
{
	return way == REPLY && packet->key.remote_port == DNS_PORT && packet->key.protocol == PROTOCOL_UDP &&
	       connection->egress && !connection->unsure && !packet->later_fragment;
}

/* Copies the message. Not static for the verifier's sake, and out of the usual packet's way. Returns 0. */
__noinline int sample_dns(struct __sk_buff *skb, const struct packet *packet, const struct connection *connection)
{
	struct dns_sample *sample;
	__u32 at, length, lost = 0;
	__u64 *counted;

	if (!packet || !connection) /* never; the verifier wants to see it */
		return 0;
	/* Where parse.h was not asked, there is nothing between Ethernet, IP and UDP. */
	at = packet->transport ? packet->transport : ETH_HLEN + (packet->ipv6 ? 40 : 20);
	at += 8;
	if (skb->len < at + DNS_HEADER)
		return 0;
	sample = bpf_ringbuf_reserve(&dns_samples, sizeof(*sample), 0);
	if (sample) {
		length = skb->len - at;
		sample->whole = length > 0xffff ? 0xffff : length;
		if (length > DNS_PAYLOAD)
			length = DNS_PAYLOAD;
		asm volatile("" : "+r"(length)); /* or the compiler takes the next check away, which the verifier needs */
		if (length < DNS_HEADER || length > DNS_PAYLOAD || bpf_skb_load_bytes(skb, at, sample->payload, length)) {
			bpf_ringbuf_discard(sample, BPF_RB_NO_WAKEUP);
			return 0;
		}
		sample->length = length;
		sample->time = bpf_ktime_get_ns();
		copy_address(sample->client_address, &packet->key.local);
		copy_address(sample->server_address, &packet->key.remote);
		sample->client_identity = connection->source_identity;
		sample->server_identity = connection->destination_identity;
		sample->interface_index = packet->key.interface_index;
		bpf_ringbuf_submit(sample, BPF_RB_NO_WAKEUP);
	} else {
		lost = 1;
	}
	counted = bpf_map_lookup_elem(&dns_sample_counts, &lost);
	if (counted)
		*counted += 1;
	return 0;
}
