/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_manual.c - the manual, the help and the tables say the same. */
#include "unit/cli_fixture.h"

#include "config/config.h"
#include "config/user.h"

static struct buf manual_1 = BUF_INIT, manual_5 = BUF_INIT;

static bool is_shown(const struct command *k)
{
	return !(k->flags & (COMMAND_HIDDEN | COMMAND_PLANNED));
}

static int read_manuals(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (file_read(AT_FDCWD, "devenv/cli/man/devenv.1", 1 << 20, 0, &manual_1, NULL, &e) < 0 ||
	    file_read(AT_FDCWD, "devenv/cli/man/devenv.ini.5", 1 << 20, 0, &manual_5, NULL, &e) < 0) {
		fprintf(stderr, "%s (run from the top directory)\n", e.msg);
		return -1;
	}
	return 0;
}

static int release_manuals(void **state)
{
	(void)state;
	buf_release(&manual_1);
	buf_release(&manual_5);
	return 0;
}

/* "image ls" of ".It Ic image ls Ar X", "" for other lines. */
static void item_name(const char *line, char *name, size_t size)
{
	const char *p = line + strlen(".It Ic ");
	size_t n = 0;

	name[0] = '\0';
	if (strncmp(line, ".It Ic ", strlen(".It Ic ")) != 0)
		return;
	while (*p && n + 1 < size && !(p[0] == ' ' && p[1] >= 'A' && p[1] <= 'Z'))
		name[n++] = *p++;
	name[n] = '\0';
}

/* The lines of one command in the manual: from its item to the next item of a command or subsection. */
static char *manual_of(const char *command)
{
	struct strlist lines = STRLIST_INIT;
	struct buf text = BUF_INIT;
	bool inside = false, found = false;

	strlist_split(&lines, manual_1.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		char name[64];

		item_name(lines.items[i], name, sizeof(name));
		if (name[0] || strncmp(lines.items[i], ".S", 2) == 0)
			inside = strcmp(name, command) == 0;
		found = found || inside;
		if (inside)
			buf_addf(&text, "%s\n", lines.items[i]);
	}
	strlist_release(&lines);
	if (!found)
		fail_msg("devenv(1) does not describe '%s'", command);
	return buf_steal(&text);
}

static char *option_item(const struct option_spec *o)
{
	struct buf b = BUF_INIT;

	buf_adds(&b, ".It ");
	if (o->letter)
		buf_addf(&b, "Fl %c , ", o->letter);
	buf_addf(&b, "Fl -%s", o->name);
	if (o->argument)
		buf_addf(&b, " Ar %s", o->argument);
	buf_addch(&b, '\n');
	return buf_steal(&b);
}

static size_t count_items(const char *text, const char *item)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, item)); p++)
		n++;
	return n;
}

static void check_options(const char *what, const char *text, const struct option_spec *table)
{
	size_t count = 0;

	for (const struct option_spec *o = table; o && o->name; o++) {
		char *item = option_item(o);

		count++;
		if (!strstr(text, item))
			fail_msg("devenv(1) lacks this of %s: %s", what, item);
		free(item);
	}
	if (count_items(text, ".It Fl ") != count)
		fail_msg("devenv(1) has options of %s that the table lacks", what);
}

static void check_command(const struct command *parent, const struct command *k)
{
	char *name = parent ? mem_printf("%s %s", parent->name, k->name) : mem_strdup(k->name);
	char *text = manual_of(name);

	check_options(name, text, k->options);
	free(text);
	free(name);
}

static void test_every_command_is_in_the_manual(void **state)
{
	(void)state;
	for (const struct command *k = commands_table; k->name; k++) {
		if (!is_shown(k))
			continue;
		if (!k->subcommands)
			check_command(NULL, k);
		for (const struct command *s = k->subcommands; s && s->name; s++)
			if (is_shown(s))
				check_command(k, s);
	}
}

static void test_the_manual_has_no_other_command(void **state)
{
	struct strlist lines = STRLIST_INIT;

	(void)state;
	strlist_split(&lines, manual_1.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		const struct command *k;
		char name[64], *blank;

		item_name(lines.items[i], name, sizeof(name));
		if (!name[0])
			continue;
		blank = strchr(name, ' ');
		if (blank)
			*blank = '\0';
		k = commands_find(commands_table, name);
		if (!k || !is_shown(k))
			fail_msg("devenv(1) describes '%s', which is no command", name);
		if (blank && k->subcommands && !commands_find(k->subcommands, blank + 1))
			fail_msg("devenv(1) describes '%s %s', which is no command", name, blank + 1);
	}
	strlist_release(&lines);
}

static void test_global_flags_are_in_the_manual(void **state)
{
	const char *begin = strstr(manual_1.data, ".Ss Global flags"),
		   *end = strstr(manual_1.data, ".Sh COMMANDS");
	char *text;

	(void)state;
	assert_non_null(begin);
	assert_non_null(end);
	text = mem_strndup(begin, (size_t)(end - begin));
	check_options("the global flags", text, options_global);
	free(text);
}

static void test_error_codes_are_in_the_manual(void **state)
{
	(void)state;
	for (int code = ERR_FAILED; code < ERR_EXEC_FORMAT; code++) {
		char *item = mem_printf(".It Sy %s\n", err_code_name((enum err_code)code));

		if (!strstr(manual_1.data, item))
			fail_msg("devenv(1) lacks the error code %s", err_code_name((enum err_code)code));
		free(item);
	}
}

static void test_every_key_is_in_the_manual(void **state)
{
	(void)state;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *k = &config_keys[i];
		char *section = mem_printf(".Ss [%s]\n", k->section), *item, *end;
		const char *at = strstr(manual_5.data, section);

		if (!k->supported) {
			item = mem_printf(".It Li [%s] %s\n", k->section, k->key);
			if (!strstr(manual_5.data, item))
				fail_msg("devenv.ini(5) lacks the key that is not supported yet: [%s] %s",
				         k->section, k->key);
		} else {
			if (!at)
				fail_msg("devenv.ini(5) lacks the section [%s]", k->section);
			item = mem_printf(".It Ic %s\n", k->key);
			end = mem_strdup(at + 1);
			if (strstr(end, "\n.S"))
				*strstr(end, "\n.S") = '\0';
			if (strcmp(k->key, "*") != 0 && !strstr(end, item))
				fail_msg("devenv.ini(5) lacks [%s] %s", k->section, k->key);
			free(end);
		}
		free(item);
		free(section);
	}
}

static void test_the_manual_has_no_key_that_is_not_built(void **state)
{
	struct strlist lines = STRLIST_INIT;

	(void)state;
	strlist_split(&lines, manual_5.data, "\n");
	for (size_t i = 0; i < lines.count; i++) {
		bool found = false;

		if (strncmp(lines.items[i], ".It Li ", 7) != 0)
			continue;
		for (size_t n = 0; n < config_key_count && !found; n++) {
			char *name = mem_printf("[%s] %s", config_keys[n].section, config_keys[n].key);

			found = !config_keys[n].supported && strcmp(name, lines.items[i] + 7) == 0;
			free(name);
		}
		if (!found)
			fail_msg("devenv.ini(5) calls '%s' not supported", lines.items[i] + 7);
	}
	strlist_release(&lines);
}

static void check_help(const char *words, const struct command *k)
{
	struct outcome o = fixture_run(words);

	assert_int_equal(o.status, 0);
	assert_string_equal(o.err.data, "");
	fixture_has(&o.out, "Usage:\n  devenv ");
	for (const struct option_spec *s = k->options; s && s->name; s++) {
		char *flag = mem_printf("--%s", s->name);

		fixture_has(&o.out, flag);
		fixture_has(&o.out, s->help);
		free(flag);
	}
	fixture_release(&o);
}

static void test_every_command_answers_h(void **state)
{
	(void)state;
	for (const struct command *k = commands_table; k->name; k++) {
		char *words = mem_printf("%s -h", k->name);

		check_help(words, k);
		free(words);
		words = mem_printf("help %s", k->name);
		check_help(words, k);
		free(words);
		for (const struct command *s = k->subcommands; s && s->name; s++) {
			words = mem_printf("%s %s --help", k->name, s->name);
			check_help(words, s);
			free(words);
		}
	}
}

static void test_help_lists_every_command(void **state)
{
	struct outcome bare = fixture_run(""), help = fixture_run("help"), flag = fixture_run("-h");

	(void)state;
	assert_int_equal(bare.status, 0);
	assert_string_equal(bare.out.data, help.out.data);
	assert_string_equal(bare.out.data, flag.out.data);
	for (const struct command *k = commands_table; k->name; k++) {
		char *line = mem_printf("\n  %s ", k->name), *word = mem_printf(" %s", k->name);

		if (is_shown(k))
			fixture_has(&bare.out, line);
		else if (!(k->flags & COMMAND_HIDDEN))
			fixture_has(&bare.out, word);
		free(line);
		free(word);
	}
	fixture_lacks(&bare.out, "\n  prepare ");
	fixture_release(&bare);
	fixture_release(&help);
	fixture_release(&flag);
}

static void test_help_lists_every_key(void **state)
{
	struct outcome o = fixture_run("help devenv.ini");

	(void)state;
	assert_int_equal(o.status, 0);
	for (size_t i = 0; i < config_key_count; i++)
		fixture_has(&o.out, config_keys[i].summary);
	fixture_release(&o);
}

static void check_completion(const char *shell)
{
	char *words = mem_printf("completion %s", shell);
	struct outcome o = fixture_run(words);

	assert_int_equal(o.status, 0);
	for (const struct command *k = commands_table; k->name; k++) {
		if (is_shown(k))
			fixture_has(&o.out, k->name);
		for (const struct option_spec *s = k->options; is_shown(k) && s && s->name; s++)
			fixture_has(&o.out, s->name);
	}
	fixture_lacks(&o.out, " prepare ");
	fixture_lacks(&o.out, "'prepare:");
	fixture_release(&o);
	free(words);
}

static void test_completions_have_everything(void **state)
{
	(void)state;
	check_completion("bash");
	check_completion("zsh");
	check_completion("fish");
}

static void test_tables_are_consistent(void **state)
{
	(void)state;
	for (const struct command *k = commands_table; k->name; k++) {
		assert_ptr_equal(commands_find(commands_table, k->name), k);
		assert_true(k->summary[0] != '\0' && k->summary[strlen(k->summary) - 1] != '.');
		assert_true(k->main || (k->flags & (COMMAND_PLANNED | COMMAND_GROUP)));
		for (const struct option_spec *o = k->options; o && o->name; o++)
			for (const struct option_spec *g = options_global; g->name; g++)
				assert_true(strcmp(o->name, g->name) != 0 &&
				            (!o->letter || o->letter != g->letter));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_command_is_in_the_manual),
		cmocka_unit_test(test_the_manual_has_no_other_command),
		cmocka_unit_test(test_global_flags_are_in_the_manual),
		cmocka_unit_test(test_error_codes_are_in_the_manual),
		cmocka_unit_test(test_every_key_is_in_the_manual),
		cmocka_unit_test(test_the_manual_has_no_key_that_is_not_built),
		tempdir_test(test_every_command_answers_h),
		tempdir_test(test_help_lists_every_command),
		tempdir_test(test_help_lists_every_key),
		tempdir_test(test_completions_have_everything),
		cmocka_unit_test(test_tables_are_consistent),
	};

	return cmocka_run_group_tests(tests, read_manuals, release_manuals);
}
