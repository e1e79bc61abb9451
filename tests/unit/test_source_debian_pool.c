/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_debian_pool.c - locked packages from every place that may have them, and what is kept of them. */
#include "unit/debian_fixture.h"

#include <sys/wait.h>

#include "base/text.h"
#include "source/debian_pool.h"

static struct store store;
static struct lock_package packages[3];
static const struct lock_package *wanted[3];
static struct strlist vendors;
static struct debian_pool pool;

static void describe(struct lock_package *p, const char *name, const char *version)
{
	cleanup_free char *file = mem_printf("www/pool/main/%s_%s_amd64.deb", name, version);
	cleanup_buf struct buf data = BUF_INIT;
	char digest[DIGEST_MAX];

	read_text(file, &data);
	digest_bytes(data.data, data.len, digest);
	*p = (struct lock_package){ .arch = mem_strdup("amd64"), .name = mem_strdup(name), .version = mem_strdup(version),
				    .path = mem_strdup(file + 4), .suite = mem_strdup("bookworm"), .sha256 = mem_strdup(digest_hex(digest)),
				    .size = data.len };
}

static int pool_setup(void **state)
{
	cleanup_free char *path = NULL;
	struct err e = ERR_INIT;

	fixture_setup(state);
	if (!fixture.server)
		return 0;
	path = mem_printf("%s/store", tempdir);
	must_run("umask 077; mkdir store");
	if (store_open(&store, path, &e) < 0)
		fail_msg("%s", e.msg);
	describe(&packages[0], "alpha", "1.0");
	describe(&packages[1], "beta", "1:2.0+b1~x");
	describe(&packages[2], "gamma", "3");
	for (size_t i = 0; i < 3; i++)
		wanted[i] = &packages[i];
	pool = (struct debian_pool){ .context = &fixture.context, .store = &store, .archive = &fixture.archive, .vendors = &vendors };
	return 0;
}

static int pool_teardown(void **state)
{
	for (size_t i = 0; i < 3 && fixture.server; i++) {
		const struct lock_package *p = &packages[i];
		char *texts[] = { p->arch, p->name, p->version, p->path, p->suite, p->sha256 };

		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			free(texts[k]);
	}
	if (fixture.server)
		store_close(&store);
	strlist_release(&vendors);
	return fixture_teardown(state);
}

static void must_fetch(void)
{
	struct err e = ERR_INIT;

	if (debian_pool_fetch(&pool, wanted, 3, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < 3; i++) {
		char digest[DIGEST_MAX];
		cleanup_close int fd = debian_pool_open(&store, packages[i].sha256, &e);

		assert_true(fd >= 0);
		assert_int_equal(digest_fd(fd, digest, NULL, &e), 0);
		assert_string_equal(digest_hex(digest), packages[i].sha256);
	}
	assert_int_equal(shell("[ -z \"$(ls -A store/tmp)\" ]"), 0);
}

static void must_refuse(enum err_code code, const char *message, const char *hint)
{
	struct err e = ERR_INIT;

	assert_int_equal(debian_pool_fetch(&pool, wanted, 3, &e), -1);
	if (!strstr(e.msg, message) || !strstr(e.hint, hint) || e.code != code)
		fail_msg("%s: %s [%s]", err_code_name(e.code), e.msg, e.hint);
	assert_int_equal(shell("[ -z \"$(ls -A store/tmp)\" ]"), 0);
}

static void count_last(void *data, const char *what, uint64_t done, uint64_t total)
{
	(void)data;
	assert_string_equal(what, "packages");
	assert_true(done <= total);
	fixture.date = (time_t)done;
}

static void test_fetches(void **state)
{
	unsigned int asked;

	(void)state;
	need_archive();
	fixture.context.progress = count_last;
	must_fetch();
	assert_int_equal(fixture.date, packages[0].size + packages[1].size + packages[2].size);
	assert_int_equal(fixture.notices.count, 1);
	assert_true(text_starts(fixture.notices.items[0], "fetching 3 packages ("));
	asked = fixture.asked;
	must_fetch();
	assert_int_equal(fixture.asked, asked);
	/* One that is not whole counts as missing. */
	must_run("for f in store/debs/*; do echo x >$f; break; done");
	must_fetch();
	assert_int_equal(fixture.asked, asked + 1);
}

static void test_many(void **state)
{
	struct lock_package many[40];
	const struct lock_package *list[40];
	struct err e = ERR_INIT;

	(void)state;
	need_archive();
	must_run("mkdir www/pool/many && for i in $(seq 0 39); do head -c $((200000 * i % 3000000)) /dev/urandom >www/pool/many/p$i.deb; done");
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		cleanup_free char *file = mem_printf("www/pool/many/p%zu.deb", i);
		cleanup_buf struct buf data = BUF_INIT;
		char digest[DIGEST_MAX];

		read_text(file, &data);
		digest_bytes(data.data, data.len, digest);
		many[i] = packages[0];
		many[i].path = mem_strdup(file + 4);
		many[i].sha256 = mem_strdup(digest_hex(digest));
		many[i].size = data.len;
		list[i] = &many[i];
	}
	if (debian_pool_fetch(&pool, list, ARRAY_SIZE(many), &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		assert_true(store_has_deb(&store, many[i].sha256, many[i].size));
		free(many[i].path);
		free(many[i].sha256);
	}
}

/* Without a network it is soon known how many are missing: all are counted. */
static void test_many_offline(void **state)
{
	struct lock_package many[40];
	const struct lock_package *list[40];
	struct err e = ERR_INIT;

	(void)state;
	need_archive();
	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		many[i] = packages[0];
		many[i].sha256 = mem_printf("%064zx", i);
		list[i] = &many[i];
	}
	fixture.context.offline = true;
	assert_int_equal(debian_pool_fetch(&pool, list, ARRAY_SIZE(many), &e), -1);
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		free(many[i].sha256);
	if (e.code != ERR_OFFLINE || !text_starts(e.msg, "40 of 40 packages can't be had; the first: alpha 1.0 "))
		fail_msg("%s: %s", err_code_name(e.code), e.msg);
}

static void test_nowhere(void **state)
{
	(void)state;
	need_archive();
	fixture.hide = "beta";
	must_refuse(ERR_NOT_FOUND, "beta 1:2.0+b1~x is nowhere to be had: not in the store; mirror 127.0.0.1", "`devenv update beta`");
	/* The others are here, and need not be fetched again. */
	assert_true(store_has_deb(&store, packages[0].sha256, packages[0].size));
	assert_true(store_has_deb(&store, packages[2].sha256, packages[2].size));
	fixture.hide = "pool";
	must_run("rm store/debs/*");
	must_refuse(ERR_NOT_FOUND, "3 of 3 packages can't be had; the first: alpha 1.0 is nowhere", "`devenv update`");
	pool.archive = NULL;
	must_refuse(ERR_NOT_FOUND, "alpha 1.0 is nowhere to be had: not in the store", "snapshot = ADDRESS");
}

static void test_changed(void **state)
{
	(void)state;
	need_archive();
	fixture.change = "beta";
	must_refuse(ERR_INTEGRITY, "its sha256 is", "`devenv update beta`");
	fixture.change = NULL;
	must_run("f=$(ls www/pool/main/beta*); echo more >>$f");
	must_refuse(ERR_INTEGRITY, "beta", "`devenv update beta`");
	free(packages[1].path);
	packages[1].path = mem_strdup("../../etc/passwd");
	must_refuse(ERR_LOCK, "the lock has no good path of beta", "");
}

static void test_vendors(void **state)
{
	(void)state;
	need_archive();
	must_run("mkdir v1 v2; mv www/pool/main/beta* v1/; mv www/pool/main/gamma* v2/$(sha256sum www/pool/main/gamma* | cut -c1-64)");
	strlist_add_take(&vendors, mem_printf("%s/v1", tempdir));
	strlist_add_take(&vendors, mem_printf("%s/v2", tempdir));
	fixture.context.offline = true;
	must_refuse(ERR_OFFLINE, "alpha 1.0 is nowhere to be had", "without --offline");
	fixture.context.offline = false;
	must_fetch();
	/* Something else under the right name: the mirror's is taken. */
	must_run("rm store/debs/*; mkdir -p www/pool/main; for f in v1/*; do cp $f www/pool/main; echo no >$f; done");
	must_fetch();
}

static void test_snapshot(void **state)
{
	(void)state;
	need_archive();
	fixture.user.debian.snapshot = mem_printf("%s/old", fault_server_url(fixture.server));
	/* A copy with the same pool. */
	must_run("mkdir -p www/old; mv www/pool www/old/pool");
	must_fetch();
	/* The machine interface of the service. */
	must_run("rm store/debs/*; mkdir -p www/old/file www/old/mr/binary/alpha/1.0 www/old/mr/binary/beta/1:2.0+b1~x www/old/mr/binary/gamma/3");
	must_run("for p in alpha:1.0 beta:1:2.0+b1~x gamma:3; do f=$(ls www/old/pool/main/${p%%:*}*); h=$(sha1sum $f | cut -c1-40); "
		 "mv $f www/old/file/$h; echo \"{\\\"result\\\":[{\\\"architecture\\\":\\\"i386\\\",\\\"hash\\\":\\\"0000000000000000000000000000000000000000\\\"},"
		 "{\\\"architecture\\\":\\\"amd64\\\",\\\"hash\\\":\\\"$h\\\"}]}\" >www/old/mr/binary/${p%%:*}/${p#*:}/binfiles; done");
	must_fetch();
	must_run("rm store/debs/*; for f in www/old/mr/binary/*/*/binfiles; do echo '{\"result\":[{\"hash\":\"../../x\",\"architecture\":\"amd64\"}]}' >$f; done");
	must_refuse(ERR_NOT_FOUND, "alpha 1.0 is nowhere to be had: not in the store; mirror", "`devenv update` locks what the mirrors have now");
	must_run("for f in www/old/mr/binary/*/*/binfiles; do echo '[]' >$f; done");
	must_refuse(ERR_NOT_FOUND, "alpha 1.0 is nowhere to be had: not in the store; mirror", "`devenv update` locks what the mirrors have now");
}

static void test_no_network(void **state)
{
	unsigned short port = fault_server_free_port();
	cleanup_free char *address = mem_printf("http://127.0.0.1:%u", port);

	(void)state;
	need_archive();
	for (size_t i = 0; i < fixture.archive.count; i++) {
		free(fixture.archive.suites[i].uri);
		fixture.archive.suites[i].uri = mem_strdup(address);
	}
	must_refuse(ERR_NETWORK, "connection refused", "");
}

static void test_space(void **state)
{
	(void)state;
	need_archive();
	packages[1].size = 1ULL << 60;
	must_refuse(ERR_SPACE, "3 packages take", "devenv gc");
	must_refuse(ERR_SPACE, " more are needed", "devenv gc");
}

/* Small ones are fetched whole again, large ones go on where they were. */
static void test_tried_again(void **state)
{
	(void)state;
	need_archive();
	must_run("head -c 3000000 /dev/urandom >>www/pool/main/gamma_3_amd64.deb && head -c 3000000 /dev/urandom >>www/pool/main/alpha_1.0_amd64.deb");
	for (size_t i = 0; i < 3; i += 2) {
		cleanup_free char *file = mem_printf("www/%s", packages[i].path);
		cleanup_buf struct buf data = BUF_INIT;
		char digest[DIGEST_MAX];

		read_text(file, &data);
		digest_bytes(data.data, data.len, digest);
		free((char *)packages[i].sha256);
		packages[i].sha256 = mem_strdup(digest_hex(digest));
		packages[i].size = data.len;
	}
	http_free(fixture.context.http);
	fixture.context.http = http_new(&(struct http_settings){ .tries = 3, .stall_timeout_ms = 300 });
	fixture.stall = "alpha";
	fixture.cut = "_amd64.deb";
	must_fetch();
	assert_int_equal(fixture.asked, 6);
}

static void test_interrupted(void **state)
{
	pid_t child;
	int status;

	(void)state;
	need_archive();
	child = fork();
	if (child == 0) {
		struct err e = ERR_INIT;

		http_interrupt();
		_exit(debian_pool_fetch(&pool, wanted, 3, &e) < 0 && e.code == ERR_INTERRUPTED ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void test_gc(void **state)
{
	struct store_gc gc = { .dry_run = true };
	struct err e = ERR_INIT;

	(void)state;
	need_archive();
	must_fetch();
	strlist_addf(&gc.keep, "sha256:%s", packages[1].sha256);
	assert_int_equal(store_gc(&store, &gc, &e), 0);
	assert_int_equal(gc.packages, 2);
	assert_true(gc.bytes > 0);
	assert_true(store_has_deb(&store, packages[0].sha256, packages[0].size));
	gc.dry_run = false;
	assert_int_equal(store_gc(&store, &gc, &e), 0);
	assert_int_equal(gc.packages, 2);
	assert_false(store_has_deb(&store, packages[0].sha256, packages[0].size));
	assert_true(store_has_deb(&store, packages[1].sha256, packages[1].size));
	assert_int_equal(debian_pool_open(&store, packages[0].sha256, &e), -1);
	assert_int_equal(e.code, ERR_NOT_FOUND);
	assert_int_equal(debian_pool_open(&store, "../images", &e), -1);
	strlist_release(&gc.keep);
}

#define pool_test(f) cmocka_unit_test_setup_teardown(f, pool_setup, pool_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		pool_test(test_fetches), pool_test(test_many), pool_test(test_many_offline),	     pool_test(test_nowhere), pool_test(test_changed),
		pool_test(test_vendors), pool_test(test_snapshot),   pool_test(test_no_network), pool_test(test_space),
		pool_test(test_interrupted), pool_test(test_gc),	     pool_test(test_tried_again),
	};

	return cmocka_run_group_tests_name("source_debian_pool", tests, NULL, NULL);
}
