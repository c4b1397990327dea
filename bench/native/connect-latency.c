/*
 * How long connect() takes. Listens on an address of this network namespace; a line "ADDRESS PORT COUNT" on stdin connects so
 * often, one after the other, and is answered with the median, mean and 99th percentile in nanoseconds. Both ends are on this
 * core: the handshake happens within the call, and no wake-up is measured. Connections end with a reset, so that no port waits.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

static long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000L + time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static struct sockaddr_in address_of(const char *text, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &address.sin_addr) != 1) {
		errno = EINVAL;
		fail(text);
	}
	return address;
}

/* Returns the nanoseconds connect() took. */
static long connect_once(int listener, const struct sockaddr_in *to)
{
	struct linger reset = { .l_onoff = 1, .l_linger = 0 };
	int client = socket(AF_INET, SOCK_STREAM, 0), server;
	long before, after;

	if (client < 0)
		fail("socket");
	before = now();
	if (connect(client, (const struct sockaddr *)to, sizeof(*to)))
		fail("connect");
	after = now();
	server = accept(listener, NULL, NULL);
	if (server < 0)
		fail("accept");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	close(server);
	return after - before;
}

int main(int argc, char **argv)
{
	struct sockaddr_in own;
	char line[256], host[64];
	int listener, port, count;

	if (argc != 3) {
		fprintf(stderr, "usage: %s ADDRESS PORT\n", argv[0]);
		return 2;
	}
	own = address_of(argv[1], atoi(argv[2]));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || bind(listener, (const struct sockaddr *)&own, sizeof(own)) || listen(listener, 128))
		fail("listen");
	while (fgets(line, sizeof(line), stdin)) {
		struct sockaddr_in to;
		long *took, sum = 0;

		if (sscanf(line, "%63s %d %d", host, &port, &count) != 3 || count < 1 || count > 1000000)
			return 2;
		to = address_of(host, port);
		took = calloc(count, sizeof(*took));
		if (!took)
			fail("calloc");
		for (int i = 0; i < count; i++)
			sum += took[i] = connect_once(listener, &to);
		qsort(took, count, sizeof(*took), ascending);
		printf("%ld %ld %ld\n", took[count / 2], sum / count, took[(long)count * 99 / 100]);
		fflush(stdout);
		free(took);
	}
	return 0;
}
