/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay.c - bytes between the caller's terminal and the one inside. terminal.c has the theory.
 *
 * The master is non-blocking and input is read only while none waits to be written, so that a program that doesn't read
 * its input can't stop its output.
 */
#include "sandbox/relay.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

void relay_close(struct relay *r)
{
	if (r->master >= 0)
		close(r->master);
	r->master = -1;
}

/* Closing the master hangs up whatever is on the terminal inside. */
void relay_hang_up(struct relay *r)
{
	kill(r->leader, SIGHUP);
	kill(r->leader, SIGCONT);
	relay_close(r);
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EAGAIN) {
			struct pollfd p = { .fd = fd, .events = POLLOUT };

			poll(&p, 1, -1);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

size_t relay_output(struct relay *r)
{
	char data[65536];
	ssize_t n = r->master < 0 ? -1 : read(r->master, data, sizeof(data));

	if (n <= 0)
		return 0;
	/* With nobody to write to, the program inside should know it as it would from a closed terminal. */
	if (r->output_open && !write_all(r->out, data, (size_t)n)) {
		r->output_open = false;
		relay_hang_up(r);
	}
	return (size_t)n;
}

/* The end of input of a terminal is a character for the inner one; of a raw one, its end. */
static void end_input(struct relay *r)
{
	struct termios inner;

	if (r->mode == RELAY_COOKED && r->master >= 0 && tcgetattr(r->master, &inner) == 0) {
		r->input[0] = (char)inner.c_cc[VEOF];
		r->input_len = 1;
		r->input_done = 0;
		r->input_ends = true;
		return;
	}
	r->input_open = false;
	relay_hang_up(r);
}

void relay_read_input(struct relay *r)
{
	ssize_t n = read(0, r->input, sizeof(r->input));

	if (n > 0) {
		r->input_len = (size_t)n;
		r->input_done = 0;
		if (r->mode == RELAY_RAW && memchr(r->input, r->original.c_cc[VINTR], r->input_len))
			r->interrupt_typed = true;
	} else if (n == 0) {
		end_input(r);
	} else if (errno != EINTR && errno != EAGAIN) {
		r->input_open = false;
		if (errno == EIO && r->mode == RELAY_RAW)
			relay_hang_up(r);
	}
}

/* With EXTPROC the end of input is one only if it is read alone. To poll is the only look that misses nothing under way. */
static bool has_unread_input(const struct relay *r)
{
	struct pollfd slave = { .fd = ioctl(r->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC), .events = POLLIN };
	bool unread;

	if (slave.fd < 0)
		return false;
	unread = poll(&slave, 1, 0) > 0 && (slave.revents & POLLIN);
	close(slave.fd);
	return unread;
}

void relay_write_input(struct relay *r)
{
	ssize_t n = write(r->master, r->input + r->input_done, r->input_len - r->input_done);

	if (n > 0)
		r->input_done += (size_t)n;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		r->input_done = r->input_len;
	if (r->input_done == r->input_len)
		r->input_ends = false;
}

bool relay_input_waits(const struct relay *r)
{
	return r->input_done < r->input_len;
}

bool relay_input_is_held(const struct relay *r)
{
	return r->input_ends && r->master >= 0 && has_unread_input(r);
}
