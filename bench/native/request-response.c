/*
 * The load of tcp-rr and tcp-crr: one client and one server, one byte each way, as netperf's TCP_RR and TCP_CRR. C, because
 * the round trip of a JavaScript client costs several times what is measured here (the one exception to "C only for eBPF";
 * nothing that people run contains it). Built by the bench when it runs.
 *
 *     request-response CLIENT-NETNS SERVER-NETNS ADDRESS CORE
 *
 * Netns are paths. Both ends are pinned to CORE: a wake-up across cores costs 70 µs and would hide everything else. It then
 * takes commands on stdin, one a line, and answers each with a line on stdout:
 *
 *     rr MILLISECONDS                 request-responses on one standing connection
 *     crr MILLISECONDS [PER-SECOND]   connect, request, response, close; as fast as it goes, or at a rate
 *       -> TRANSACTIONS NANOSECONDS CPU-NANOSECONDS
 *     syn SOURCE-PORT                 one SYN from that port to one where nobody listens
 *       -> WALL-CLOCK-NANOSECONDS just before it was sent
 *
 * CPU time is that of both ends, the packets' way through the kernel included (it is walked in their context).
 *
 * It ends with its stdin. Errors go to stderr, exit status 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Connections go to these in turn, so that a client port resting in TIME_WAIT is not what is waited for. */
#define PORTS 32
#define FIRST_PORT 7000

static void fail(const char *what)
{
	fprintf(stderr, "request-response: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		fail(netns);
	if (setns(fd, CLONE_NEWNET))
		fail("setns");
	close(fd);
}

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* @arg at as now_ns() tells it; the past does not wait */
static void sleep_until(long long at)
{
	struct timespec t = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, 0);
}

static long long cpu_ns(clockid_t server)
{
	struct timespec own, its;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	clock_gettime(server, &its);
	return (own.tv_sec + its.tv_sec) * 1000000000LL + own.tv_nsec + its.tv_nsec;
}

static void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* One byte in, one byte out, on any number of connections; a connection closed by its client is closed here too. */
static void serve(int ready)
{
	struct epoll_event events[64], event = { .events = EPOLLIN };
	int listeners[PORTS], epoll = epoll_create1(0), one = 1;
	char byte;

	for (int i = 0; i < PORTS; i++) {
		struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(FIRST_PORT + i) };

		listeners[i] = socket(AF_INET, SOCK_STREAM, 0);
		setsockopt(listeners[i], SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		if (bind(listeners[i], (struct sockaddr *)&any, sizeof(any)) || listen(listeners[i], 128))
			fail("listen");
		event.data.fd = -1 - i;
		epoll_ctl(epoll, EPOLL_CTL_ADD, listeners[i], &event);
	}
	if (write(ready, "", 1) != 1)
		fail("pipe");
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd < 0) {
				fd = accept(listeners[-1 - fd], 0, 0);
				if (fd < 0)
					continue;
				no_delay(fd);
				event.data.fd = fd;
				epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
			} else if (read(fd, &byte, 1) != 1 || write(fd, &byte, 1) != 1) {
				close(fd);
			}
		}
	}
}

static int connect_to(struct in_addr address, unsigned turn)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(FIRST_PORT + turn % PORTS),
		.sin_addr = address,
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		fail("connect");
	return fd;
}

/* Where nobody listens: the answer is a RST. */
#define CLOSED_PORT 9

static long long send_syn(struct in_addr address, long source_port)
{
	struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(source_port) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(CLOSED_PORT), .sin_addr = address };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	struct timespec t;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)))
		fail("bind");
	clock_gettime(CLOCK_REALTIME, &t);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS && errno != ECONNREFUSED)
		fail("connect");
	close(fd);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void exchange(int fd)
{
	char byte = 'x';

	if (write(fd, &byte, 1) != 1 || read(fd, &byte, 1) != 1)
		fail("request");
}

int main(int argc, char **argv)
{
	struct in_addr address;
	cpu_set_t cores;
	char line[64], how[8], byte;
	unsigned turn = 0;
	clockid_t server_clock;
	int ready[2];
	long milliseconds, per_second;
	pid_t server;

	if (argc != 5 || !inet_aton(argv[3], &address)) {
		fprintf(stderr, "usage: request-response CLIENT-NETNS SERVER-NETNS ADDRESS CORE\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	CPU_ZERO(&cores);
	CPU_SET(atoi(argv[4]), &cores);
	if (sched_setaffinity(0, sizeof(cores), &cores) || pipe(ready))
		fail("sched_setaffinity");
	server = fork();
	if (server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		enter(argv[2]);
		serve(ready[1]);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		return 1; /* the server has said why */
	if (clock_getcpuclockid(server, &server_clock))
		fail("clock_getcpuclockid");
	enter(argv[1]);
	setvbuf(stdout, 0, _IOLBF, 0);

	while (fgets(line, sizeof(line), stdin)) {
		long long begin, end, last, cpu;
		long transactions = 0;

		per_second = 0;
		if (sscanf(line, "%7s %ld %ld", how, &milliseconds, &per_second) < 2) {
			fprintf(stderr, "request-response: what is \"%s\"?\n", line);
			return 2;
		}
		if (!strcmp(how, "syn")) {
			printf("%lld\n", send_syn(address, milliseconds));
			continue;
		}
		if (!strcmp(how, "rr")) {
			int fd = connect_to(address, turn++);

			no_delay(fd);
			exchange(fd);
			cpu = cpu_ns(server_clock);
			begin = last = now_ns();
			end = begin + milliseconds * 1000000LL;
			do {
				exchange(fd);
				transactions++;
				last = now_ns();
			} while (last < end);
			cpu = cpu_ns(server_clock) - cpu;
			close(fd);
		} else {
			cpu = cpu_ns(server_clock);
			begin = last = now_ns();
			end = begin + milliseconds * 1000000LL;
			do {
				int fd = connect_to(address, turn++);

				exchange(fd);
				close(fd);
				transactions++;
				last = now_ns();
				if (per_second)
					sleep_until(begin + transactions * 1000000000LL / per_second);
			} while (last < end);
			cpu = cpu_ns(server_clock) - cpu;
		}
		printf("%ld %lld %lld\n", transactions, last - begin, cpu);
	}
	return 0;
}
