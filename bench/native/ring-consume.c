/*
 * The other side of the ring benchmark: a consumer as one writes it in C with libbpf's ring_buffer API. It puts what a record
 * says into columns, as the agent does, but resolves no names. On a timer, as the agent: the datapath wakes nobody.
 *
 *     ring-consume CORE             the ring is descriptor 3
 *
 * Takes lines on stdin, answers on stdout:
 *
 *     start     begins to drain                                -> "ok"
 *     stop      drains what is left and stops                  -> RECORDS CPU-NANOSECONDS CHECKSUM
 */
#define _GNU_SOURCE
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../bpf-agent/bpf/record.h"

#define RING 3
#define ROWS 65536
#define IDLE_MICROSECONDS 1000

static struct {
	double sequence[ROWS];
	__u64 time[ROWS];
	__u32 source[ROWS], destination[ROWS];
	__u16 source_port[ROWS], destination_port[ROWS];
	__u8 protocol[ROWS], verdict[ROWS], drop_reason[ROWS], observation[ROWS], trigger[ROWS], direction[ROWS], reply[ROWS];
	__u8 tcp_flags[ROWS];
	__u32 packets_original[ROWS], packets_reply[ROWS], bytes_original[ROWS], bytes_reply[ROWS], rtt[ROWS];
	__u16 retransmits[ROWS];
} rows;

static unsigned long records, checksum;

static __u32 fold(const __u8 *address)
{
	__u32 words[4];

	memcpy(words, address, 16);
	return words[0] ^ words[1] ^ words[2] ^ words[3];
}

static int take(void *context, void *data, size_t size)
{
	const struct flow_record *record = data;
	unsigned row = records++ % ROWS;

	(void)context;
	(void)size;
	rows.sequence[row] = records;
	rows.time[row] = record->time;
	rows.source[row] = fold(record->source_address) ^ record->source_identity;
	rows.destination[row] = fold(record->destination_address) ^ record->destination_identity;
	rows.source_port[row] = record->source_port;
	rows.destination_port[row] = record->destination_port;
	rows.protocol[row] = record->protocol;
	rows.verdict[row] = record->verdict;
	rows.drop_reason[row] = record->drop_reason;
	rows.observation[row] = record->observation;
	rows.trigger[row] = record->trigger;
	rows.direction[row] = record->direction;
	rows.reply[row] = record->reply;
	rows.tcp_flags[row] = record->tcp_flags;
	rows.packets_original[row] = record->packets_original;
	rows.packets_reply[row] = record->packets_reply;
	rows.bytes_original[row] = record->bytes_original;
	rows.bytes_reply[row] = record->bytes_reply;
	rows.rtt[row] = record->rtt_micros;
	rows.retransmits[row] = record->retransmits;
	checksum += record->bytes_original;
	return 0;
}

/* This thread's time on its core. */
static long long cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int fail(const char *what)
{
	fprintf(stderr, "ring-consume: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	struct pollfd commands = { .fd = 0, .events = POLLIN };
	struct ring_buffer *ring;
	long long begin = 0;
	int running = 0;
	cpu_set_t cores;
	char line[64];

	if (argc != 2) {
		fprintf(stderr, "usage: ring-consume CORE 3<ring\n");
		return 2;
	}
	CPU_ZERO(&cores);
	CPU_SET(atoi(argv[1]), &cores);
	if (sched_setaffinity(0, sizeof(cores), &cores))
		return fail("sched_setaffinity");
	ring = ring_buffer__new(RING, take, 0, 0);
	if (!ring)
		return fail("ring_buffer__new");
	setvbuf(stdin, 0, _IONBF, 0);
	setvbuf(stdout, 0, _IOLBF, 0);

	for (;;) {
		if (poll(&commands, 1, running ? 0 : -1) > 0) {
			if (!fgets(line, sizeof(line), stdin))
				return 0;
			if (!strcmp(line, "start\n")) {
				records = checksum = 0;
				begin = cpu_ns();
				running = 1;
				puts("ok");
			} else {
				while (ring_buffer__consume(ring) > 0)
					;
				running = 0;
				printf("%lu %lld %lu\n", records, cpu_ns() - begin, checksum);
			}
			continue;
		}
		if (ring_buffer__consume(ring) <= 0)
			usleep(IDLE_MICROSECONDS);
	}
}
