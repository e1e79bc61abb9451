/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress.c - what is shown while layers are fetched.
 *
 * One line before the first byte says how much comes and how much room there is. On a terminal a live block follows:
 * one line per layer under way and a total with rate and time left, repainted at most ten times a second in place. A
 * finished layer's line is printed above the block and stays. Without a terminal each finished layer is one plain line,
 * and a long one reports now and then so that a log shows life. Everything goes to stderr; -q silences it.
 */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"

#define ROWS_MAX      128 /* an image has at most 127 layers */
#define ROWS_LIVE_MAX 6   /* more layers at once than this are not shown one by one */
#define SAMPLES       16  /* the rate is that of the last SAMPLES * SAMPLE_NS */
#define SAMPLE_NS     250000000ULL
#define PAINT_NS      100000000ULL
#define PLAIN_NS      10000000000ULL /* between signs of life of one layer in a log */
#define BAR_MAX       30

struct row {
	size_t n;
	char id[16];
	uint64_t done, total;
	uint64_t reported_ns;
	bool finished;
};

struct progress {
	struct cli *c;
	char *title;
	bool live; /* a terminal that can be painted on */
	size_t expected, finished;
	uint64_t bytes;
	uint64_t start_ns, painted_ns;
	struct row rows[ROWS_MAX];
	size_t row_count;
	int painted; /* lines of the live block on the terminal now */
	struct {
		uint64_t ns, bytes;
	} samples[SAMPLES];
	size_t sample_count;
	char what[128]; /* of packages: what the samples are of */
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

struct progress *progress_new(struct cli *c)
{
	struct progress *p = mem_alloc(sizeof(*p));

	p->c = c;
	p->live = c->stderr_tty;
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	free(p->title);
	free(p);
}

void progress_title(struct progress *p, const char *title)
{
	free(p->title);
	p->title = mem_strdup(title);
}

static uint64_t done_bytes(const struct progress *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->row_count; i++)
		sum += p->rows[i].done;
	return sum;
}

static void take_sample(struct progress *p, uint64_t now, uint64_t bytes)
{
	size_t last = p->sample_count ? (p->sample_count - 1) % SAMPLES : 0;

	if (p->sample_count && now - p->samples[last].ns < SAMPLE_NS)
		return;
	p->samples[p->sample_count % SAMPLES].ns = now;
	p->samples[p->sample_count % SAMPLES].bytes = bytes;
	p->sample_count++;
}

/* Bytes per second lately; 0 while there is too little to say. */
static uint64_t rate(const struct progress *p, uint64_t now, uint64_t done)
{
	size_t oldest = p->sample_count > SAMPLES ? p->sample_count % SAMPLES : 0;
	uint64_t elapsed;

	if (!p->sample_count || now - p->samples[oldest].ns < 2 * SAMPLE_NS)
		return 0;
	elapsed = now - p->samples[oldest].ns;
	if (done < p->samples[oldest].bytes)
		return 0;
	return (uint64_t)((double)(done - p->samples[oldest].bytes) * 1e9 / (double)elapsed);
}

static void format_time(struct buf *b, uint64_t seconds)
{
	if (seconds >= 3600)
		buf_addf(b, "%lluh%02llum", (unsigned long long)seconds / 3600,
		         (unsigned long long)seconds / 60 % 60);
	else if (seconds >= 60)
		buf_addf(b, "%llum%02llus", (unsigned long long)seconds / 60,
		         (unsigned long long)seconds % 60);
	else
		buf_addf(b, "%llus", (unsigned long long)seconds);
}

/* "  8.3MB/s  2s left", once there is enough to say. */
static void format_rate(const struct progress *p, struct buf *b, uint64_t now, uint64_t done, uint64_t total)
{
	uint64_t per_second = rate(p, now, done);

	if (!per_second)
		return;
	buf_addf(b, "  %s/s", text_bytes(per_second));
	if (total <= done)
		return;
	buf_adds(b, "  ");
	format_time(b, (total - done) / per_second + 1);
	buf_adds(b, " left");
}

static void format_bar(const struct progress *p, struct buf *b, int width, uint64_t done, uint64_t total)
{
	const struct cli *c = p->c;
	int filled = total ? (int)((double)done / (double)total * width) : 0;

	if (filled > width)
		filled = width;
	buf_adds(b, output_begin(c, stderr, STYLE_GREEN));
	for (int i = 0; i < filled; i++)
		buf_adds(b, c->utf8 ? "━" : "=");
	buf_adds(b, output_end(c, stderr));
	buf_adds(b, output_begin(c, stderr, STYLE_DIM));
	for (int i = filled; i < width; i++)
		buf_adds(b, c->utf8 ? "─" : "-");
	buf_adds(b, output_end(c, stderr));
}

/* "  name          ━━━━━━────  12.1MB / 28.2MB  8.3MB/s  2s left", never wider than the terminal. */
static void format_line(const struct progress *p, struct buf *b, const char *name, uint64_t done,
                        uint64_t total, const char *more)
{
	char numbers[96];
	int used, bar, width = output_width() - 1;

	snprintf(numbers, sizeof(numbers), "%9s / %s%s", text_bytes(done), text_bytes(total), more);
	used = 2 + (int)(strlen(name) > 14 ? strlen(name) : 14) + 2 + (int)strlen(numbers);
	bar = width - used - 1 > BAR_MAX ? BAR_MAX : width - used - 1;
	buf_addf(b, "  %-14s ", name);
	if (bar >= 8)
		format_bar(p, b, bar, done, total);
	if (used < width)
		buf_addf(b, " %s", numbers);
	buf_adds(b, "\033[K\n");
}

void progress_clear(struct progress *p)
{
	if (!p->painted)
		return;
	fprintf(stderr, "\r\033[%dA\033[J", p->painted); /* \r: a typed ^C moved the cursor */
	fflush(stderr);
	p->painted = 0;
}

static void paint(struct progress *p, uint64_t now)
{
	cleanup_buf struct buf block = BUF_INIT;
	cleanup_buf struct buf more = BUF_INIT;
	uint64_t done = done_bytes(p);
	char name[40];
	int lines = 1;

	if (p->painted)
		buf_addf(&block, "\r\033[%dA", p->painted);
	for (size_t i = 0; i < p->row_count && lines <= ROWS_LIVE_MAX; i++) {
		const struct row *r = &p->rows[i];

		if (r->finished || p->expected == 1) /* the total says it all then */
			continue;
		format_line(p, &block, r->id, r->done, r->total, "");
		lines++;
	}
	format_rate(p, &more, now, done, p->bytes);
	if (p->expected == 1 && p->row_count == 1)
		snprintf(name, sizeof(name), "%s", p->rows[0].id);
	else
		snprintf(name, sizeof(name), "%zu/%zu layers", p->finished, p->expected);
	format_line(p, &block, name, done, p->bytes, more.data);
	buf_adds(&block, "\033[J");
	fwrite(block.data, 1, block.len, stderr);
	fflush(stderr);
	p->painted = lines;
	p->painted_ns = now;
}

static void on_plan(void *data, size_t layers, size_t present, uint64_t bytes, uint64_t free_bytes)
{
	struct progress *p = data;

	progress_end(p, true);
	if (p->c->verbose && present)
		output_notice(p->c, "%s in the store already",
		              output_count(present, "layer of it is", "layers of it are"));
	if (layers <= present || bytes == 0)
		return;
	p->expected = layers - present;
	p->bytes = bytes;
	p->start_ns = now_ns();
	take_sample(p, p->start_ns, done_bytes(p));
	output_notice(p->c, "fetching %s: %s, %s (%s free)", p->title ? text_safe(p->title) : "the image",
	              output_count(p->expected, "layer", "layers"), text_bytes(bytes),
	              text_bytes(free_bytes));
}

static struct row *find_row(struct progress *p, size_t n, const char *digest)
{
	struct row *r;

	for (size_t i = 0; i < p->row_count; i++)
		if (p->rows[i].n == n)
			return &p->rows[i];
	if (p->row_count == ROWS_MAX)
		return NULL;
	r = &p->rows[p->row_count++];
	r->n = n;
	r->reported_ns = now_ns();
	snprintf(r->id, sizeof(r->id), "%s", text_safe(output_short_digest(digest)));
	return r;
}

static void layer_finished(struct progress *p, struct row *r)
{
	r->finished = true;
	p->finished++;
	progress_clear(p);
	if (p->live)
		fprintf(stderr, "  %s%s%s %-12s %9s\n", output_begin(p->c, stderr, STYLE_GREEN),
		        p->c->utf8 ? "✓" : "+", output_end(p->c, stderr), r->id, text_bytes(r->total));
	else
		fprintf(stderr, "devenv: fetched layer %zu of %zu: %s, %s\n", p->finished, p->expected, r->id,
		        text_bytes(r->total));
}

static void on_layer(void *data, size_t n, const char *digest, uint64_t done, uint64_t total)
{
	struct progress *p = data;
	struct row *r = find_row(p, n, digest);
	uint64_t now = now_ns();

	if (!r || r->finished)
		return;
	r->done = done;
	r->total = total;
	take_sample(p, now, done_bytes(p));
	if (p->c->quiet || !p->expected)
		return;
	if (done >= total)
		layer_finished(p, r);
	if (p->live) {
		if (p->finished < p->expected && (!p->painted || now - p->painted_ns >= PAINT_NS))
			paint(p, now);
	} else if (!r->finished && now - r->reported_ns >= PLAIN_NS) {
		r->reported_ns = now;
		fprintf(stderr, "devenv: layer %s: %s of %s\n", r->id, text_bytes(done), text_bytes(total));
	}
}

/* A whole line, with its end, that takes the place of the one before. */
static void put_line(struct progress *p, const char *line)
{
	fprintf(stderr, "%s%s", p->painted ? "\033[1A" : "", line);
	fflush(stderr);
	p->painted = 1;
	p->painted_ns = now_ns();
}

static void paint_line(struct progress *p, const char *line)
{
	cleanup_free char *whole = mem_printf("  %s\033[K\n", line);

	put_line(p, whole);
}

void progress_git(void *progress, unsigned int objects, unsigned int total, size_t bytes)
{
	struct progress *p = progress;
	cleanup_buf struct buf line = BUF_INIT;
	uint64_t now = now_ns();

	if (!p->live || p->c->quiet || !total || (p->painted && now - p->painted_ns < PAINT_NS))
		return;
	buf_addf(&line, "%u of %u objects, %s", objects, total, text_bytes(bytes));
	paint_line(p, line.data);
}

/* Things are counted, not bytes. */
static bool is_counted(const char *what)
{
	return strcmp(what, "unpacking") == 0 || strcmp(what, "configuring") == 0;
}

static void format_packages(struct progress *p, struct buf *line, uint64_t now, const char *what, uint64_t done, uint64_t total)
{
	cleanup_buf struct buf more = BUF_INIT;

	if (is_counted(what)) {
		buf_addf(line, "  %s: %llu of %llu\033[K\n", text_safe(what), (unsigned long long)done, (unsigned long long)total);
		return;
	}
	format_rate(p, &more, now, done, total);
	format_line(p, line, text_safe(what), done, total, more.data ? more.data : "");
}

void progress_packages(void *progress, const char *what, uint64_t done, uint64_t total)
{
	struct progress *p = progress;
	cleanup_buf struct buf line = BUF_INIT;
	uint64_t now = now_ns();

	if (!p->live || p->c->quiet || !total)
		return;
	if (strcmp(p->what, what) != 0 || (p->sample_count && done < p->samples[(p->sample_count - 1) % SAMPLES].bytes))
		p->sample_count = 0;
	snprintf(p->what, sizeof(p->what), "%s", what);
	take_sample(p, now, done);
	if (done >= total) {
		progress_clear(p);
		return;
	}
	if (p->painted && now - p->painted_ns < PAINT_NS)
		return;
	format_packages(p, &line, now, what, done, total);
	put_line(p, line.data);
}

void progress_elapsed(struct progress *p, const char *what, double seconds)
{
	cleanup_buf struct buf line = BUF_INIT;

	if (!p->live || p->c->quiet)
		return;
	buf_addf(&line, "%s: ", text_safe(what));
	if (seconds < 60)
		buf_addf(&line, "%.0f s", seconds);
	else
		format_time(&line, (uint64_t)seconds);
	paint_line(p, line.data);
}

struct oci_progress progress_callbacks(struct progress *p)
{
	return (struct oci_progress){ .plan = on_plan, .layer = on_layer, .data = p };
}

void progress_end(struct progress *p, bool ok)
{
	double seconds = (double)(now_ns() - p->start_ns) / 1e9;
	uint64_t done = done_bytes(p);

	progress_clear(p);
	if (ok && p->expected && p->finished)
		output_notice(p->c, "fetched %s in %.1fs (%s/s)", text_bytes(done), seconds,
		              text_bytes((uint64_t)((double)done / (seconds > 0.001 ? seconds : 0.001))));
	p->expected = p->finished = p->row_count = p->sample_count = 0;
	p->bytes = 0;
	memset(p->rows, 0, sizeof(p->rows));
}
