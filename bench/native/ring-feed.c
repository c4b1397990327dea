/*
 * Fills a ring as fast as one core can: runs an eBPF program, which writes a record each time, by BPF_PROG_TEST_RUN. C, so
 * that the process that measures its own consumer does not stand still meanwhile.
 *
 *     ring-feed CORE PACKET-HEX      the program is descriptor 3
 *
 * Takes lines on stdin, "MILLISECONDS" or "xRUNS", and answers each with a line on stdout: RUNS NANOSECONDS CPU-NANOSECONDS.
 */
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROGRAM 3
/* Runs per system call: a few milliseconds, so that the time asked for is kept. */
#define REPEAT 20000

static long long read_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "ring-feed: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void run(int program, unsigned char *packet, unsigned int size, int repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = size, .repeat = repeat);

	if (bpf_prog_test_run_opts(program, &options))
		fail("BPF_PROG_TEST_RUN");
}

int main(int argc, char **argv)
{
	unsigned char packet[2048];
	unsigned int size = 0, byte;
	cpu_set_t cores;
	char line[64];

	if (argc != 3) {
		fprintf(stderr, "usage: ring-feed CORE PACKET-HEX 3<program\n");
		return 2;
	}
	CPU_ZERO(&cores);
	CPU_SET(atoi(argv[1]), &cores);
	if (sched_setaffinity(0, sizeof(cores), &cores))
		fail("sched_setaffinity");
	for (const char *hex = argv[2]; size < sizeof(packet) && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		packet[size++] = byte;
	setvbuf(stdout, 0, _IOLBF, 0);

	while (fgets(line, sizeof(line), stdin)) {
		long long begin = read_ns(CLOCK_MONOTONIC), cpu = read_ns(CLOCK_THREAD_CPUTIME_ID);
		long runs = 0;

		if (line[0] == 'x') {
			long wanted = atol(line + 1);

			for (; runs < wanted; runs += wanted - runs < REPEAT ? wanted - runs : REPEAT)
				run(PROGRAM, packet, size, wanted - runs < REPEAT ? wanted - runs : REPEAT);
		} else {
			long long end = begin + atol(line) * 1000000LL;

			do {
				run(PROGRAM, packet, size, REPEAT);
				runs += REPEAT;
			} while (read_ns(CLOCK_MONOTONIC) < end);
		}
		printf("%ld %lld %lld\n", runs, read_ns(CLOCK_MONOTONIC) - begin, read_ns(CLOCK_THREAD_CPUTIME_ID) - cpu);
	}
	return 0;
}
