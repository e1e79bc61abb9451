/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_debian_network.c - the way to an archive as apt's configuration has it: proxies, authorities, and who gets a login. */
#include "unit/tempdir.h"
#include "unit/fault_server.h"

#include <stdlib.h>

#include "base/text.h"
#include "fetch/auth.h"
#include "source/debian_fetch.h"
#include "source/debian_network.h"

static struct debian_network *with(const char *settings, const char *logins)
{
	struct debian_network *n;

	setenv("PATH", "/nonexistent", 1); /* no apt-config: only what the test says */
	n = debian_network_new();
	setenv("PATH", "/usr/bin:/bin", 1);
	debian_network_settings(n, settings, strlen(settings));
	debian_network_logins(n, logins, strlen(logins));
	return n;
}

static struct http_route route;

static const struct http_route *to(struct debian_network *n, const char *url)
{
	char *old[] = { route.proxy, route.ca_file, route.authorization, route.reach_hint, route.trust_hint };

	for (size_t i = 0; i < ARRAY_SIZE(old); i++)
		free(old[i]);
	route = (struct http_route){ 0 };
	if (n)
		debian_network_route(n, url, &route);
	return &route;
}

static void expect_proxy(struct debian_network *n, const char *url, const char *proxy)
{
	const char *got = to(n, url)->proxy;

	if (!proxy)
		assert_null(got);
	else
		assert_string_equal(got, proxy);
}

static void test_proxies(void **state)
{
	struct debian_network *n = with("Acquire::http::Proxy http://p.example.org:3142/\nacquire::HTTP::proxy::Direct.example.org DIRECT\n"
					"Acquire::http::Proxy::other.example.org http://q.example.org:8080\n"
					"Acquire::https::own.example.org::Proxy http://r.example.org\n", "");

	(void)state;
	expect_proxy(n, "http://d.example.org/debian/x", "http://p.example.org:3142/");
	expect_proxy(n, "https://d.example.org/debian/x", "http://p.example.org:3142/");
	expect_proxy(n, "http://direct.example.org/", "");
	expect_proxy(n, "http://other.example.org:81/", "http://q.example.org:8080");
	expect_proxy(n, "https://own.example.org/", "http://r.example.org");
	expect_proxy(n, "http://own.example.org/", "http://p.example.org:3142/");
	assert_non_null(strstr(to(n, "http://d.example.org/")->reach_hint, "the proxy p.example.org:3142"));
	debian_network_free(n);
	n = with("Acquire::https::Proxy http://me:secret@p.example.org/\nAcquire::http::Proxy-Auto-Detect /usr/bin/find-proxy\n", "");
	expect_proxy(n, "http://d.example.org/", NULL);
	assert_non_null(strstr(route.reach_hint, "/usr/bin/find-proxy, which devenv does not"));
	expect_proxy(n, "https://d.example.org/", "http://me:secret@p.example.org/");
	assert_null(strstr(route.reach_hint, "secret"));
	debian_network_free(n);
	n = with("", "");
	expect_proxy(n, "http://d.example.org/", NULL);
	assert_null(route.reach_hint);
	to(NULL, "");
	debian_network_free(n);
}

static void test_authorities(void **state)
{
	struct debian_network *n = with("Acquire::https::CaInfo /etc/all.pem\nAcquire::https::a.example.org::CaInfo /etc/a.pem\n"
					"Acquire::https::a.example.org::Verify-Peer false\n", "");

	(void)state;
	assert_string_equal(to(n, "https://b.example.org/")->ca_file, "/etc/all.pem");
	assert_null(strstr(route.trust_hint, "Verify-Peer"));
	assert_string_equal(to(n, "https://a.example.org/")->ca_file, "/etc/a.pem");
	assert_non_null(strstr(route.trust_hint, "is told not to check certificates"));
	assert_null(to(n, "http://a.example.org/")->ca_file);
	to(NULL, "");
	debian_network_free(n);
}

static void expect_login(struct debian_network *n, const char *url, const char *pair)
{
	cleanup_free char *colon = pair ? mem_strdup(pair) : NULL, *expected = NULL;
	const char *got = to(n, url)->authorization;

	if (!pair) {
		if (got)
			fail_msg("%s gets a login", url);
		return;
	}
	colon[strcspn(pair, ":")] = '\0';
	expected = auth_basic(colon, pair + strcspn(pair, ":") + 1);
	if (!got || strcmp(got, expected) != 0)
		fail_msg("%s: %s instead of %s", url, got ? got : "nothing", expected);
}

static void test_logins(void **state)
{
	struct debian_network *n = with("", "# machine c.example.org login no password no\n"
					    "machine a.example.org/private login one password 1\nmachine a.example.org login two password 2\n"
					    "machine b.example.org:8443\n\tlogin three\n\tpassword 3\nmachine http://p.example.org login four password 4\n"
					    "machine https://s.example.org/x/ login five password 5\nmachine a.example.org login six password 6\n");

	(void)state;
	expect_login(n, "https://a.example.org/private/dists/x", "one:1");
	expect_login(n, "https://A.example.org/debian", "two:2");
	expect_login(n, "https://a.example.org:8443/debian", "two:2");
	expect_login(n, "https://b.example.org:8443/", "three:3");
	expect_login(n, "https://s.example.org/x/y", "five:5");
	expect_login(n, "http://p.example.org/", "four:4");
	/* Never in the clear unless it says so, and to nobody else. */
	expect_login(n, "http://a.example.org/debian", NULL);
	expect_login(n, "https://p.example.org/", NULL);
	expect_login(n, "http://s.example.org/x/y", NULL);
	expect_login(n, "https://s.example.org/", NULL);
	expect_login(n, "https://b.example.org/", NULL);
	expect_login(n, "https://b.example.org:84430/", NULL);
	expect_login(n, "https://c.example.org/", NULL);
	expect_login(n, "https://a.example.org.evil.example/", NULL);
	expect_login(n, "https://evil.example/a.example.org", NULL);
	expect_login(n, "https://a.example.org@evil.example/", NULL);
	to(NULL, "");
	debian_network_free(n);
	n = with("", "login no password no\nmachine a.example.org password only\nlogin\n");
	expect_login(n, "https://a.example.org/", ":only");
	to(NULL, "");
	debian_network_free(n);
}

/* ---- over the wire ---- */

struct wire {
	struct fault_server *server, *other;
	char seen[2][256]; /* Authorization at the two */
	char target[256];
	char redirect[128];
};

static void answer_first(void *data, const struct fault_request *q, struct fault_reply *a)
{
	struct wire *w = data;

	snprintf(w->seen[0], sizeof(w->seen[0]), "%.200s", q->authorization);
	snprintf(w->target, sizeof(w->target), "%.200s", q->target);
	if (strcmp(q->target, "/away") == 0) {
		snprintf(w->redirect, sizeof(w->redirect), "Location: %s/there\r\n", fault_server_url(w->other));
		a->status = 302;
		a->headers = w->redirect;
	} else if (!*q->authorization) {
		a->status = 401;
	} else {
		a->body = "good";
		a->len = 4;
	}
}

static void answer_other(void *data, const struct fault_request *q, struct fault_reply *a)
{
	struct wire *w = data;

	snprintf(w->seen[1], sizeof(w->seen[1]), "%.200s!", q->authorization);
	a->body = "there";
	a->len = 5;
}

static void test_wire(void **state)
{
	struct wire w = { 0 };
	cleanup_free char *login = NULL, *here = NULL, *away = NULL, *settings = NULL;
	struct debian_network *n;
	struct buf text = BUF_INIT;
	struct err e = ERR_INIT;
	struct http *h;

	(void)state;
	w.server = fault_server_start(answer_first, &w);
	w.other = fault_server_start(answer_other, &w);
	here = mem_printf("%s/here", fault_server_url(w.server));
	away = mem_printf("%s/away", fault_server_url(w.server));
	login = mem_printf("machine %s login me password secret\n", fault_server_url(w.server));
	settings = mem_printf("Acquire::http::Proxy %s\n", fault_server_url(w.server));
	n = with(settings, login);
	h = http_new(&(struct http_settings){ .tries = 1, .route = debian_network_route, .route_data = n });
	if (debian_fetch_text(h, here, 100, &text, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(text.data, "good");
	assert_true(text_starts(w.seen[0], "Basic "));
	/* Whoever is redirected to gets nothing. */
	buf_clear(&text);
	assert_int_equal(debian_fetch_text(h, away, 100, &text, &e), 0);
	assert_string_equal(text.data, "there");
	assert_string_equal(w.seen[1], "!");
	/* Of a host elsewhere the proxy is asked, and gets no login of a server's. */
	assert_int_equal(debian_fetch_text(h, "http://mirror.example.org/x", 100, &text, &e), -1);
	assert_string_equal(w.target, "http://mirror.example.org/x");
	assert_string_equal(w.seen[0], "");
	assert_int_equal(e.code, ERR_AUTH);
	assert_non_null(strstr(e.hint, "machine http://mirror.example.org login NAME"));
	assert_null(strstr(e.msg, "secret"));
	http_free(h);
	debian_network_free(n);
	buf_release(&text);
	fault_server_stop(w.server);
	fault_server_stop(w.other);
}

/* apt-config and its files, where there is one. */
static void test_of_apt(void **state)
{
	cleanup_free char *conf = mem_printf("Dir::Etc::parts \"%s/none\";\nDir::Etc::netrc \"%s/auth.conf\";\n"
					     "Dir::Etc::netrcparts \"%s/auth.d\";\nAcquire::http::Proxy \"http://p.example.org:1\";\n",
					     tempdir, tempdir, tempdir);
	cleanup_free char *path = mem_printf("%s/apt.conf", tempdir);
	struct debian_network *n;

	(void)state;
	if (access("/usr/bin/apt-config", X_OK) < 0) {
		print_message("skipped: there is no apt\n");
		skip();
	}
	tempdir_write("apt.conf", conf);
	assert_int_equal(mkdirat(tempfd, "auth.d", 0700), 0);
	assert_int_equal(mkdirat(tempfd, "none", 0700), 0);
	tempdir_write("auth.conf", "machine a.example.org login one password 1\n");
	tempdir_write("auth.d/a.conf", "machine b.example.org login two password 2\n");
	tempdir_write("auth.d/b.conf.off", "machine c.example.org login three password 3\n");
	setenv("APT_CONFIG", path, 1);
	n = debian_network_new();
	unsetenv("APT_CONFIG");
	expect_proxy(n, "http://a.example.org/", "http://p.example.org:1");
	expect_login(n, "https://a.example.org/", "one:1");
	expect_login(n, "https://b.example.org/", "two:2");
	expect_login(n, "https://c.example.org/", NULL);
	to(NULL, "");
	debian_network_free(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxies), cmocka_unit_test(test_authorities), cmocka_unit_test(test_logins),
		cmocka_unit_test(test_wire),	cmocka_unit_test_setup_teardown(test_of_apt, tempdir_setup, tempdir_teardown),
	};

	return cmocka_run_group_tests_name("source_debian_network", tests, NULL, NULL);
}
