/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault_server.h - an HTTP/1.1 server for tests that misbehaves exactly as it is told.
 *
 * It listens on a free port of 127.0.0.1, runs in threads of the test program, and asks a function of the test what to
 * do with each request. One request per connection.
 */
#ifndef TESTS_UNIT_FAULT_SERVER_H
#define TESTS_UNIT_FAULT_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct fault_server;

struct fault_request {
	char method[16];
	char target[2048]; /* path and query */
	char authorization[2048], accept[1024], user_agent[256];
	char body[4096];
	bool has_range;
	unsigned long long range_start;
	unsigned int count; /* how many requests for this target came before, plus one */
};

enum fault {
	FAULT_NONE,
	FAULT_RESET,	/* RST instead of an answer */
	FAULT_TRUNCATE, /* close after `cut` bytes of the body */
	FAULT_BREAK,	/* RST after `cut` bytes of the body */
	FAULT_STALL,	/* nothing more after `cut` bytes of the body; SIZE_MAX: not even the headers */
	FAULT_GARBAGE,	/* bytes that are no HTTP */
};

struct fault_reply {
	int status;	     /* 0: 200 */
	const char *headers; /* further lines, each ending in \r\n; may be NULL */
	const void *body;
	size_t len;
	bool ranges;	     /* answer Range with 206 */
	long long length;    /* what Content-Length says; -1: there is none; 0: the truth */
	enum fault fault;
	size_t cut;
	char text[2048];     /* room for a body or headers made on the spot */
};

/* Runs in the thread of a connection; one at a time. */
typedef void fault_handler(void *data, const struct fault_request *q, struct fault_reply *a);

struct fault_server *fault_server_start(fault_handler *handler, void *data);
unsigned short fault_server_port(const struct fault_server *s);
/* "http://127.0.0.1:PORT" */
const char *fault_server_url(const struct fault_server *s);
/* All requests so far. */
unsigned int fault_server_requests(struct fault_server *s);
void fault_server_stop(struct fault_server *s);

/* A port of 127.0.0.1 on which nobody listens at this moment. */
unsigned short fault_server_free_port(void);

#endif
