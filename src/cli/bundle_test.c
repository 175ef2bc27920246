/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets and archives. That no secret is in a whole bundle is cli_test's. */
#include <errno.h>
#include <json-c/json.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "cli/secrets.h"
#include "cli/tar.h"

#define IS(name) secrets_is_name(name, strlen(name))

static void names_of_secrets_are_known(void **state UNUSED)
{
	assert_true(IS("key") && IS("private_key") && IS("tls-key"));
	assert_true(IS("psk") && IS("password") && IS("userPassword"));
	assert_true(IS("Token") && IS("client_secret") && IS("passphrase"));
	assert_false(IS("monkey") || IS("keys") || IS("name") || IS(""));
}

static void json_loses_them_at_any_depth(void **state UNUSED)
{
	struct json_object *o = json_tokener_parse(
		"{\"a\":[{\"psk\":\"XX\",\"name\":\"vm1\"},{\"b\":{\"token\":"
		"{\"deep\":\"XX\"}}}],\"last\":{\"head\":\"5858\",\"text\":"
		"\"ip\"},\"key\":[1,\"XX\"]}");
	const char *text;

	secrets_clear_json(o);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
	assert_null(strstr(text, "XX"));
	assert_null(strstr(text, "5858"));
	assert_non_null(strstr(text, "vm1"));
	assert_non_null(strstr(text, "\"text\":\"ip\""));
	json_object_put(o);
}

static void expect_text(const char *in, const char *out)
{
	struct str s = STR_INIT;

	secrets_clear_text(in, &s);
	assert_string_equal(str_text(&s), out);
	str_fini(&s);
}

static void yaml_loses_them_with_all_that_is_below(void **state UNUSED)
{
	expect_text("weft: 1\n", "weft: 1\n");
	expect_text("a:\n  psk: XX\n  b: 1\n", "a:\n  # (left out)\n  b: 1\n");
	expect_text("a:\n  key: |\n    XX\n\n    XX\n  b: 1\n",
		    "a:\n  # (left out)\n  b: 1\n");
	expect_text("- \"token\": XX\n- c\n", "- # (left out)\n- c\n");
	expect_text("vm: {type: tap, psk: XX}\nb: 1\n", "# (left out)\nb: 1\n");
	expect_text("vm: {type: tap, 'tls-key' : XX}\n", "# (left out)\n");
	expect_text("key:", "# (left out)\n");
	expect_text("monkey: banana\n", "monkey: banana\n");
}

static void an_archive_is_new_private_and_whole(void **state UNUSED)
{
	char dir[] = "/tmp/weft-tar-XXXXXX", buf[4096];
	struct err e = ERR_INIT;
	char *path, *big = xzalloc(100000);
	struct tar *t;
	struct stat st;
	gzFile z;

	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/x.tar.gz", dir);
	t = tar_create(path, &e);
	assert_non_null(t);
	tar_add(t, "f/hello", "hello\n", 6);
	tar_add(t, "f/big", big, 100000);
	assert_int_equal(tar_close(t, &e), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	z = gzopen(path, "rb");
	assert_int_equal(gzread(z, buf, 1024), 1024);
	assert_string_equal(buf, "f/hello");
	assert_memory_equal(buf + 257, "ustar", 6);
	assert_memory_equal(buf + 512, "hello\n\0", 7);
	gzclose(z);
	assert_null(tar_create(path, &e));
	assert_non_null(strstr(e.text, "File exists"));
	err_fini(&e);
	unlink(path);
	rmdir(dir);
	free(path);
	free(big);
}

static void a_full_disk_is_told(void **state UNUSED)
{
	struct err e = ERR_INIT;
	int saved = dup(STDOUT_FILENO);
	char *noise = xmalloc(1 << 20);
	struct tar *t;
	uint32_t x = 1;

	for (size_t i = 0; i < 1 << 20; i++)
		noise[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	must(freopen("/dev/full", "w", stdout));
	t = tar_create("-", &e);
	assert_non_null(t);
	tar_add(t, "f/noise", noise, 1 << 20);
	assert_int_equal(tar_close(t, &e), -EIO);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_non_null(strstr(e.text, "could not be written"));
	err_fini(&e);
	free(noise);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_secrets_are_known),
		cmocka_unit_test(json_loses_them_at_any_depth),
		cmocka_unit_test(yaml_loses_them_with_all_that_is_below),
		cmocka_unit_test(an_archive_is_new_private_and_whole),
		cmocka_unit_test(a_full_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
