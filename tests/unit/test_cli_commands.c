/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_commands.c - exit statuses, streams, JSON, and the commands that need no network. */
#include "unit/cli_fixture.h"

#include <jansson.h>

#include "base/digest.h"
#include "store/store.h"

#define DIGEST "sha256:1111111111111111111111111111111111111111111111111111111111111111"

static json_t *parse_json(const struct buf *b)
{
	json_error_t error;
	json_t *root = json_loads(b->data, JSON_REJECT_DUPLICATES, &error);

	if (!root)
		fail_msg("%s in: %s", error.text, b->data);
	assert_int_equal(json_integer_value(json_object_get(root, "schema")), 1);
	return root;
}

static void expect(const char *words, int status, const char *out, const char *err)
{
	struct outcome o = fixture_run(words);

	if (o.status != status)
		fail_msg("devenv %s: status %d, not %d\n%s%s", words, o.status, status, o.out.data,
		         o.err.data);
	if (out)
		fixture_has(&o.out, out);
	if (err)
		fixture_has(&o.err, err);
	fixture_release(&o);
}

static void expect_code(const char *words, int status, const char *code)
{
	struct outcome o = fixture_run(words);
	json_t *root, *error;

	assert_int_equal(o.status, status);
	assert_string_equal(o.err.data, "");
	root = parse_json(&o.out);
	error = json_object_get(root, "error");
	assert_string_equal(json_string_value(json_object_get(error, "code")), code);
	assert_true(json_string_length(json_object_get(error, "message")) > 0);
	json_decref(root);
	fixture_release(&o);
}

static void write_project(const char *text)
{
	fixture_project("devenv.ini", text);
}

static void test_usage_errors(void **state)
{
	(void)state;
	expect("imgae", 2, NULL,
	       "devenv: unknown command 'imgae'\n  hint: did you mean 'devenv image'?\nusage: devenv ");
	expect("image lss", 2, NULL, "did you mean 'devenv image ls'?");
	expect("lock --chek", 2, NULL, "unknown option '--chek'; did you mean '--check'?");
	expect("lock extra", 2, NULL, "devenv lock does not take 'extra'\nusage: devenv lock [--check]\n");
	expect("image", 2, NULL, "one of: ls");
	expect("image inspect", 2, NULL, "devenv image inspect needs REF");
	expect("update base --json", 2, NULL, "options come before operands: '--json' follows 'base'");
	expect("--color sometimes info", 2, NULL, "--color takes auto, always or never");
	expect("help nothing", 2, NULL, "no help about 'nothing'");
	expect("gc --max-age soon", 2, NULL, "--max-age takes an age like 30d");
	expect("prepare", 125, NULL, "needs --for enter or --for run");
	expect("prepare --for run --color bad", 125, NULL, "usage: devenv run ");
	expect("prepare --for run -n", 125, NULL, "devenv run --dry-run is not supported yet");
	expect("prepare --for run --image=", 125, NULL, "--image '':");
	expect("shell", 2, NULL, "did you mean 'devenv enter'?");
	expect("exec ls", 2, NULL, "did you mean 'devenv run'?");
	expect("rmi x", 2, NULL, "did you mean 'devenv image rm'?");
	expect("STATUS", 2, NULL, "did you mean 'devenv status'?");
	expect("update --locked", 2, NULL, "--locked forbids that");
	expect("completion tcsh", 2, NULL, "not for 'tcsh'");
	expect_code("--json imgae", 2, "usage");
	expect_code("--json lock extra", 2, "usage");
}

static void test_what_is_not_built_says_so(void **state)
{
	size_t planned = 0;

	(void)state;
	for (const struct command *k = commands_table; k->name; k++) {
		char *words, *message;

		if (!(k->flags & COMMAND_PLANNED))
			continue;
		planned++;
		words = mem_printf("%s --what -ever x", k->name);
		message = mem_printf("devenv: devenv %s is not supported yet\n", k->name);
		expect(words, k->flags & COMMAND_STATUS_125 ? 125 : 1, NULL, message);
		free(words);
		free(message);
	}
	assert_true(planned > 10);
	expect_code("up --json", 1, "not-supported");
	expect("doctor --fix --json", 2, NULL, NULL);
	expect("-n pull", 1, NULL, "devenv pull --dry-run is not supported yet");
	expect("completion --json bash", 1, NULL, NULL);
}

static void test_version(void **state)
{
	struct outcome o;
	json_t *root;

	(void)state;
	expect("version", 0, "devenv " DEVENV_VERSION "\n", NULL);
	expect("--version", 0, "devenv " DEVENV_VERSION "\n", NULL);
	expect("lock --version", 2, NULL, "--version comes before the command");
	o = fixture_run("version --json");
	root = parse_json(&o.out);
	assert_string_equal(json_string_value(json_object_get(root, "version")), DEVENV_VERSION);
	json_decref(root);
	fixture_release(&o);
}

static void test_without_a_project(void **state)
{
	static const char *const commands[] = { "status", "lock", "update", "pull",
		                                "allow",  "deny", "config", "reset" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		char *words = mem_printf("--json %s", commands[i]);

		expect_code(words, 1, "no-project");
		free(words);
	}
	expect("prepare --for run", 125, NULL, "devenv: ");
	expect("-C /does/not/exist status", 1, NULL, "can't use directory '/does/not/exist'");
	expect("-C /dev/null status", 1, NULL, "'/dev/null' is not a directory");
}

static void test_init_allows_and_is_dry(void **state)
{
	struct outcome o;

	(void)state;
	o = fixture_run("init -n");
	assert_int_equal(o.status, 0);
	fixture_has(&o.out, "[base]\n");
	fixture_release(&o);
	assert_int_equal(faccessat(tempfd, "project/devenv.ini", F_OK, 0), -1);

	expect("init", 0, NULL, NULL);
	o = fixture_run("allow --show");
	assert_int_equal(o.status, 0);
	fixture_has(&o.out, "granted");
	fixture_lacks(&o.out, "not granted");
	fixture_release(&o);
}

static void test_allow_and_deny(void **state)
{
	struct outcome o;
	json_t *root;

	(void)state;
	write_project("[base]\nimage = debian:bookworm\n[sandbox]\nnetwork = host\n");
	expect("allow --show", 0, "not granted", NULL);
	expect("allow", 1, NULL, "there is no terminal to ask on");
	expect("allow", 1, NULL, "hint: grant it with `devenv allow --yes`");
	expect_code("allow --json", 1, "not-allowed");
	expect("allow -n", 0, "not granted", NULL);
	expect("allow -y", 0, NULL, "devenv: allowed ");
	expect("allow", 0, NULL, "was allowed before");
	o = fixture_run("allow --show --json");
	root = parse_json(&o.out);
	assert_true(json_is_true(json_object_get(root, "allowed")));
	assert_true(json_array_size(json_object_get(root, "powers")) > 0);
	json_decref(root);
	fixture_release(&o);
	expect("deny", 0, NULL, "the next enter asks again");
	expect("allow --show", 0, "not granted", NULL);
}

static void test_lock_check(void **state)
{
	struct outcome o;
	json_t *root;

	(void)state;
	write_project("[base]\nimage = debian:bookworm\n");
	expect("lock --check", 1, "base: not locked\n", "devenv.lock has 1 gap; `devenv lock` fills it in");
	expect("lock -n", 1, "base: not locked\n", NULL);
	expect("lock --locked", 1, "base: not locked\n", NULL);
	o = fixture_run("lock --check --json");
	assert_int_equal(o.status, 1);
	root = parse_json(&o.out);
	assert_true(json_is_false(json_object_get(root, "locked")));
	assert_int_equal(json_array_size(json_object_get(root, "gaps")), 1);
	json_decref(root);
	fixture_release(&o);

	fixture_project("devenv.lock",
	                "[base]\nmanifest.linux/amd64 = " DIGEST "\nmanifest.linux/arm64 = " DIGEST
	                "\nrequest = docker.io/library/debian:bookworm\n");
	expect("lock --check", 0, "", "answers everything");
	fixture_project("devenv.lock", "{ \"packages\": {} }\n");
	expect("lock --check", 1, NULL, "devenv.lock");
}

static void test_status(void **state)
{
	struct outcome o;
	json_t *root;

	(void)state;
	write_project("[devenv]\nname = shop\n[base]\nimage = debian:bookworm\n[sandbox]\nnetwork = none\n");
	o = fixture_run("status --json");
	assert_int_equal(o.status, 0);
	root = parse_json(&o.out);
	assert_string_equal(json_string_value(json_object_get(root, "name")), "shop");
	assert_true(json_is_false(json_object_get(root, "locked")));
	assert_true(json_is_false(json_object_get(root, "fetched")));
	assert_true(json_is_false(json_object_get(root, "prepared")));
	assert_true(json_is_false(json_object_get(root, "running")));
	json_decref(root);
	fixture_release(&o);
	expect("status", 0, "shop  ", NULL);
	expect("status", 0, "base: not locked", NULL);
	/* asking makes nothing */
	assert_int_equal(faccessat(tempfd, "home/.local/share/devenv", F_OK, 0), -1);
}

static void test_config_errors_have_a_place(void **state)
{
	(void)state;
	write_project("[base]\nimgae = debian\n");
	expect("status", 1, NULL,
	       "devenv: devenv.ini:2: unknown key 'imgae' in [base]; did you mean 'image'?");
	write_project("[toolchain.node]\nversion = 20\n");
	expect_code("status --json", 1, "not-supported");
}

static void test_what_a_repository_says_is_escaped(void **state)
{
	struct outcome o;

	(void)state;
	write_project("[base]\nimage = debian:bookworm\n[env]\nA = x\xe2\x80\xae"
	              "evil\n");
	o = fixture_run("config");
	fixture_lacks(&o.out, "\xe2\x80\xae");
	fixture_lacks(&o.err, "\xe2\x80\xae");
	fixture_release(&o);
	o = fixture_run("config --json");
	fixture_lacks(&o.out, "\xe2\x80\xae");
	fixture_release(&o);
}

static void test_config_shows_defaults(void **state)
{
	struct outcome o;
	json_t *root, *config;

	(void)state;
	write_project(
		"[base]\nimage = debian:bookworm\n[env]\nA = b\n[volume.v]\ntarget = ~/v\n[hooks]\nenter =\n    one\n    two\n");
	o = fixture_run("config");
	assert_int_equal(o.status, 0);
	fixture_has(&o.out, "[sandbox]\nnetwork = auto                              ; default\npersist = no ");
	fixture_has(&o.out, "[volume.v]\ntarget = ~/v                                ; devenv.ini:6\nscope = checkout ");
	fixture_has(&o.out, "enter =                                     ; devenv.ini:8\n    one\n    two\n");
	fixture_release(&o);
	o = fixture_run("config --json");
	root = parse_json(&o.out);
	config = json_object_get(root, "config");
	assert_string_equal(json_string_value(json_object_get(json_object_get(config, "env"), "A")), "b");
	json_decref(root);
	fixture_release(&o);
	expect("config --plan", 1, NULL, "no plan was prepared");
}

static void test_the_store_is_empty(void **state)
{
	(void)state;
	expect("image ls", 0, NULL, "holds no image yet");
	expect("image ls --json", 0, "\"images\":[]", NULL);
	expect("image inspect debian", 1, NULL, "no image 'debian' in the store");
	expect("image rm debian", 1, NULL, "no image 'debian' in the store");
	expect_code("--json image history debian", 1, "not-found");
	expect("image pull UPPER", 2, NULL, "lower case");
	expect("--offline image pull localhost:1/a", 1, NULL, "devenv: ");
	expect("gc", 0, NULL, "nothing to delete");
	expect("gc -n --json", 0, "\"dry_run\":true", NULL);
	expect("ls", 0, NULL, "no environment on this machine yet");
	expect("info --json", 0, "\"images\":0", NULL);
}

/* A footer lists what the command takes, no more. */
static void test_footers(void **state)
{
	struct outcome o = fixture_run("run -h");

	(void)state;
	fixture_has(&o.out, "[CMD [ARG");
	fixture_lacks(&o.out, " -n");
	fixture_lacks(&o.out, "--json");
	fixture_release(&o);
	o = fixture_run("gc -h");
	fixture_has(&o.out, " -n");
	fixture_has(&o.out, "--json");
	fixture_release(&o);
	o = fixture_run("enter -h");
	fixture_has(&o.out, "start the services (not supported yet)");
	fixture_release(&o);
}

static void test_doctor_goes_on(void **state)
{
	struct err e = ERR_INIT;
	struct outcome o;

	(void)state;
	assert_int_equal(file_mkdirs(tempfd, "home/.config/devenv", 0700, &e), 0);
	tempdir_write("home/.config/devenv/config.ini", "[stroe]\npath = /x\n");
	o = fixture_run("doctor --json");
	assert_int_equal(o.status, 1);
	fixture_has(&o.out, "config.ini:1: unknown section [stroe]");
	fixture_has(&o.out, "\"id\":\"clock\"");
	fixture_release(&o);
}

static void test_images_have_names(void **state)
{
	static char config[] =
		"{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Env\":[\"A=\\u001b[31mred\"],"
		"\"Cmd\":[\"sh\",\"-c\",\"a b\"]},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]},"
		"\"history\":[{\"created_by\":\"/bin/sh -c #(nop)  CMD \\u001b[31m\",\"empty_layer\":true}]}";
	static char manifest[] = "{\"schemaVersion\":2}";
	struct store_image image = { .manifest = manifest, .config = config };
	struct err e = ERR_INIT;
	struct outcome quiet;
	struct store store;
	char *path = mem_printf("%s/home/.local/share/devenv", tempdir), *words;

	(void)state;
	digest_bytes(manifest, strlen(manifest), image.digest);
	assert_int_equal(file_mkdirs(tempfd, "home/.local/share", 0700, &e), 0);
	assert_int_equal(store_open(&store, path, &e), 0);
	assert_int_equal(store_image_publish(&store, &image, &e), 0);
	assert_int_equal(store_name_set(&store, "docker.io/library/tiny:1", image.digest, &e), 0);
	store_close(&store);
	free(path);

	expect("image ls", 0, "docker.io/library/tiny:1  ", NULL);
	expect("image inspect tiny:1", 0, image.digest, NULL);
	words = mem_printf("image inspect %.4s", digest_hex(image.digest));
	expect(words, 0, "sh -c 'a b'", NULL);
	free(words);
	expect("image inspect tiny:2", 1, NULL, "did you mean 'docker.io/library/tiny:1'?");
	expect("image history tiny:1", 0, "CMD \\x1b[31m", NULL);
	expect("image inspect --json tiny:1", 0, "\"architecture\":\"amd64\"", NULL);
	expect("gc -n", 0, NULL, NULL);
	expect("gc -n --max-age 1h", 0, NULL, "nothing to delete");
	expect("image rm -n tiny:1", 0, "would remove docker.io/library/tiny:1", NULL);
	expect("gc", 0, NULL, "nothing to delete");
	expect("image rm tiny:1", 0, "removed docker.io/library/tiny:1", NULL);
	quiet = fixture_run("-q gc -n --json");
	assert_int_equal(quiet.status, 0);
	fixture_has(&quiet.out, "\"schema\":1"); /* what was asked for is printed, quiet or not */
	fixture_release(&quiet);
	expect("image ls", 0, "<no name>", NULL);
	expect("gc -n", 0, "would free", NULL);
	expect("gc", 0, ": 1 image", NULL);
	expect("image ls", 0, NULL, "holds no image yet");
}

static void test_reset_asks(void **state)
{
	struct err e = ERR_INIT;
	struct outcome o;
	json_t *root;
	char *home, *persist;
	int fd;

	(void)state;
	write_project("[base]\nimage = debian:bookworm\n");
	expect("reset", 0, NULL, "nothing to throw away");
	o = fixture_run("status --json");
	root = parse_json(&o.out);
	home = mem_printf("%s/home", json_string_value(json_object_get(root, "state")));
	persist = mem_printf("%s/persist/upper", json_string_value(json_object_get(root, "state")));
	json_decref(root);
	fixture_release(&o);
	assert_int_equal(file_mkdirs(AT_FDCWD, home, 0700, &e), 0);
	assert_int_equal(file_mkdirs(AT_FDCWD, persist, 0700, &e), 0);

	expect("reset -n", 0, "scratch layer", "would free");
	expect("reset --home", 1, NULL, "hint: add --yes to go ahead");
	assert_true(file_exists(AT_FDCWD, persist));
	*strrchr(persist, '/') = '\0';
	fd = open(persist, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(file_lock(fd, true, false, &e), 0);
	expect("reset", 1, NULL, "while it is in use");
	close(fd);
	expect("reset", 0, NULL, "freed");
	assert_false(file_exists(AT_FDCWD, persist));
	assert_true(file_exists(AT_FDCWD, home));
	expect("reset --home -y", 0, NULL, "freed");
	assert_false(file_exists(AT_FDCWD, home));
	free(home);
	free(persist);
}

static void test_closed_standard_output_is_noticed(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), status;
	char *argv[] = { (char[]){ "devenv" }, (char[]){ "help" }, NULL };
	pid_t pid;

	(void)state;
	if (full < 0)
		skip();
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(full, STDOUT_FILENO);
		if (!freopen("/dev/null", "we", stderr))
			_exit(99);
		_exit(cli_main(2, argv));
	}
	close(full);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void test_quiet(void **state)
{
	struct outcome o;

	(void)state;
	o = fixture_run("-q init");
	assert_int_equal(o.status, 0);
	assert_string_equal(o.out.data, "");
	assert_string_equal(o.err.data, "");
	fixture_release(&o);
	expect("-q init", 1, NULL, "never overwrites");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		tempdir_test(test_usage_errors),
		tempdir_test(test_what_is_not_built_says_so),
		tempdir_test(test_version),
		tempdir_test(test_without_a_project),
		tempdir_test(test_init_allows_and_is_dry),
		tempdir_test(test_allow_and_deny),
		tempdir_test(test_lock_check),
		tempdir_test(test_status),
		tempdir_test(test_config_errors_have_a_place),
		tempdir_test(test_what_a_repository_says_is_escaped),
		tempdir_test(test_config_shows_defaults),
		tempdir_test(test_the_store_is_empty),
		tempdir_test(test_images_have_names),
		tempdir_test(test_footers),
		tempdir_test(test_doctor_goes_on),
		tempdir_test(test_reset_asks),
		tempdir_test(test_closed_standard_output_is_noticed),
		tempdir_test(test_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
