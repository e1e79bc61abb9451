/* SPDX-License-Identifier: Apache-2.0 */
/* fault_server.c - see fault_server.h. A thread accepts, a thread per connection serves; stop() ends and joins them. */
#include "unit/fault_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define TARGETS 256

struct fault_server {
	fault_handler *handler;
	void *data;
	int listener, stop_fd;
	unsigned short port;
	char url[64];
	pthread_t acceptor;
	pthread_mutex_t lock;
	pthread_cond_t idle;
	unsigned int connections, requests;
	struct {
		char *target;
		unsigned int count;
	} targets[TARGETS];
};

struct connection {
	struct fault_server *server;
	int fd;
};

static int listen_loopback(unsigned short *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0) {
		perror("fault_server");
		abort();
	}
	*port = ntohs(a.sin_port);
	return fd;
}

unsigned short fault_server_free_port(void)
{
	unsigned short port;

	close(listen_loopback(&port));
	return port;
}

/* The peer has gone or the server is to end. */
static void wait_end(const struct connection *c)
{
	struct pollfd fds[2] = { { .fd = c->server->stop_fd, .events = POLLIN },
				 { .fd = c->fd, .events = POLLIN | POLLRDHUP } };

	poll(fds, 2, -1);
}

static void reset(const struct connection *c)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static int send_all(const struct connection *c, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		struct pollfd fds[2] = { { .fd = c->server->stop_fd, .events = POLLIN },
					 { .fd = c->fd, .events = POLLOUT } };
		ssize_t n;

		if (poll(fds, 2, -1) < 0 || fds[0].revents)
			return -1;
		n = send(c->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static void copy(char *out, size_t size, const char *from, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(out, from, len);
	out[len] = '\0';
}

static void read_header(struct fault_request *q, const char *line, size_t len, size_t *body_len)
{
	static const char names[][16] = { "authorization:", "accept:", "user-agent:", "range:", "content-length:" };
	size_t i, n = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = strlen(names[i]);
		if (len >= n && strncasecmp(line, names[i], n) == 0)
			break;
	}
	if (i == sizeof(names) / sizeof(names[0]))
		return;
	while (n < len && line[n] == ' ')
		n++;
	if (i == 0)
		copy(q->authorization, sizeof(q->authorization), line + n, len - n);
	else if (i == 1)
		copy(q->accept, sizeof(q->accept), line + n, len - n);
	else if (i == 2)
		copy(q->user_agent, sizeof(q->user_agent), line + n, len - n);
	else if (i == 3 && len - n > 6)
		q->has_range = sscanf(line + n, "bytes=%llu-", &q->range_start) == 1;
	else if (i == 4)
		*body_len = strtoul(line + n, NULL, 10);
}

/* Read one request. 0, or -1 when the peer went away. */
static int read_request(const struct connection *c, struct fault_request *q)
{
	static const char end_mark[] = "\r\n\r\n";
	char buf[16384] = "";
	size_t len = 0, body_len = 0;
	char *end, *line, *next;

	while (!(end = strstr(buf, end_mark))) {
		ssize_t n = len < sizeof(buf) - 1 ? recv(c->fd, buf + len, sizeof(buf) - 1 - len, 0) : 0;

		if (n <= 0)
			return -1;
		len += (size_t)n;
		buf[len] = '\0';
	}
	if (sscanf(buf, "%15s %2047s", q->method, q->target) != 2)
		return -1;
	for (line = strstr(buf, "\r\n") + 2; line < end + 2; line = next + 2) {
		next = strstr(line, "\r\n");
		read_header(q, line, (size_t)(next - line), &body_len);
	}
	end += 4;
	while ((size_t)(buf + len - end) < body_len && len < sizeof(buf) - 1) {
		ssize_t n = recv(c->fd, buf + len, sizeof(buf) - 1 - len, 0);

		if (n <= 0)
			return -1;
		len += (size_t)n;
	}
	copy(q->body, sizeof(q->body), end, (size_t)(buf + len - end));
	return 0;
}

static unsigned int count(struct fault_server *s, const char *target)
{
	s->requests++;
	for (size_t i = 0; i < TARGETS; i++) {
		if (!s->targets[i].target)
			s->targets[i].target = strdup(target);
		if (strcmp(s->targets[i].target, target) == 0)
			return ++s->targets[i].count;
	}
	return 0;
}

static int send_head(const struct connection *c, const struct fault_request *q, const struct fault_reply *a,
		     size_t from)
{
	char head[4096];
	int status = a->status ? a->status : 200, n;

	if (q->has_range && a->ranges && status == 200)
		status = 206;
	n = snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\nConnection: close\r\n%s", status, a->headers ? a->headers : "");
	if (a->length >= 0)
		n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Length: %lld\r\n",
			      a->length > 0 ? a->length : (long long)(a->len - from));
	if (status == 206 && a->status != 206)
		n += snprintf(head + n, sizeof(head) - (size_t)n, "Content-Range: bytes %zu-%zu/%zu\r\n", from, a->len - 1,
			      a->len);
	n += snprintf(head + n, sizeof(head) - (size_t)n, "\r\n");
	return send_all(c, head, (size_t)n);
}

static void answer(const struct connection *c, const struct fault_request *q, const struct fault_reply *a)
{
	size_t from = q->has_range && a->ranges && q->range_start <= a->len ? (size_t)q->range_start : 0;
	size_t len = a->len - from;

	if (a->fault == FAULT_RESET) {
		reset(c);
		return;
	}
	if (a->fault == FAULT_GARBAGE) {
		send_all(c, "\x16\x03\x01 garbage\n\n", 14);
		return;
	}
	if (a->fault == FAULT_STALL && a->cut == SIZE_MAX) {
		wait_end(c);
		return;
	}
	if (send_head(c, q, a, from) < 0)
		return;
	if (a->fault != FAULT_NONE && a->cut < len)
		len = a->cut;
	if (len > 0 && send_all(c, (const char *)a->body + from, len) < 0)
		return;
	if (a->fault == FAULT_STALL)
		wait_end(c);
	if (a->fault == FAULT_BREAK) {
		usleep(20000); /* a reset overtakes what was sent before and not yet read */
		reset(c);
	}
}

static void *serve(void *arg)
{
	struct connection *c = arg;
	struct fault_server *s = c->server;
	struct fault_request *q = calloc(1, sizeof(*q));
	struct fault_reply *a = calloc(1, sizeof(*a));

	if (q && a && read_request(c, q) == 0) {
		pthread_mutex_lock(&s->lock);
		q->count = count(s, q->target);
		s->handler(s->data, q, a);
		pthread_mutex_unlock(&s->lock);
		answer(c, q, a);
	}
	if (!a || a->fault == FAULT_NONE)
		shutdown(c->fd, SHUT_WR);
	close(c->fd);
	free(q);
	free(a);
	free(c);
	pthread_mutex_lock(&s->lock);
	if (--s->connections == 0)
		pthread_cond_signal(&s->idle);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void *accept_all(void *arg)
{
	struct fault_server *s = arg;

	for (;;) {
		struct pollfd fds[2] = { { .fd = s->stop_fd, .events = POLLIN }, { .fd = s->listener, .events = POLLIN } };
		struct connection *c;
		pthread_t thread;
		int fd;

		poll(fds, 2, -1);
		if (fds[0].revents)
			return NULL;
		fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		c = malloc(sizeof(*c));
		if (!c)
			abort();
		*c = (struct connection){ .server = s, .fd = fd };
		pthread_mutex_lock(&s->lock);
		s->connections++;
		pthread_mutex_unlock(&s->lock);
		if (pthread_create(&thread, NULL, serve, c) != 0)
			abort();
		pthread_detach(thread);
	}
}

struct fault_server *fault_server_start(fault_handler *handler, void *data)
{
	struct fault_server *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->handler = handler;
	s->data = data;
	s->stop_fd = eventfd(0, EFD_CLOEXEC);
	s->listener = listen_loopback(&s->port);
	snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u", s->port);
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->idle, NULL);
	if (pthread_create(&s->acceptor, NULL, accept_all, s) != 0)
		abort();
	return s;
}

unsigned short fault_server_port(const struct fault_server *s)
{
	return s->port;
}

const char *fault_server_url(const struct fault_server *s)
{
	return s->url;
}

unsigned int fault_server_requests(struct fault_server *s)
{
	unsigned int n;

	pthread_mutex_lock(&s->lock);
	n = s->requests;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void fault_server_stop(struct fault_server *s)
{
	unsigned long long one = 1;

	if (write(s->stop_fd, &one, sizeof(one)) < 0)
		abort();
	pthread_join(s->acceptor, NULL);
	pthread_mutex_lock(&s->lock);
	while (s->connections > 0)
		pthread_cond_wait(&s->idle, &s->lock);
	pthread_mutex_unlock(&s->lock);
	close(s->listener);
	close(s->stop_fd);
	for (size_t i = 0; i < TARGETS; i++)
		free(s->targets[i].target);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->idle);
	free(s);
}
