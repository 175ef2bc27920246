/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cap-ng.h>
#include <cmocka.h>

#include "base/str.h"
#include "sys/netns.h"
#include "sys/priv.h"
#include "sys/sandbox_test.h"
#include "sys/sysctl.h"

static void a_name_is_made_opened_and_deleted(void **state UNUSED)
{
	struct err e = ERR_INIT;
	int self = netns_open_self(NULL), fd;

	assert_int_equal(netns_open("box", &e), -ENOENT);
	assert_non_null(strstr(e.text, "ip netns add box"));
	err_fini(&e);
	assert_int_equal(netns_create("box", &e), 0);
	assert_int_equal(netns_create("box", &e), -EEXIST);
	err_fini(&e);
	fd = netns_open("box", NULL);
	assert_return_code(fd, 0);
	assert_false(netns_is_same(fd, self));
	assert_true(netns_inode(fd) != netns_inode(self));
	netns_close(fd);
	fd = netns_open("/run/netns/box", NULL);
	assert_return_code(fd, 0);
	netns_close(fd);
	assert_int_equal(netns_delete("box", &e), 0);
	assert_int_equal(netns_delete("box", &e), -ENOENT);
	err_fini(&e);
	netns_close(self);
}

static void the_ip_command_agrees_about_names(void **state UNUSED)
{
	int fd;

	if (system("ip -V >/dev/null 2>&1"))
		skip();
	assert_int_equal(netns_create("ours", NULL), 0);
	assert_int_equal(system("ip netns exec ours true"), 0);
	assert_int_equal(system("ip netns add theirs"), 0);
	fd = netns_open("theirs", NULL);
	assert_return_code(fd, 0);
	netns_close(fd);
	assert_int_equal(system("ip netns del ours"), 0);
	assert_int_equal(netns_delete("theirs", NULL), 0);
}

static void bad_references_are_refused_with_a_sentence(void **state UNUSED)
{
	static const char *const bad[] = { "",
					   "..",
					   "pid:",
					   "pid:x",
					   "pid:-1",
					   "pid:99999999999",
					   "/etc/passwd",
					   "/nowhere" };

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err e = ERR_INIT;

		assert_true(netns_open(bad[i], &e) < 0);
		assert_non_null(e.text);
		err_fini(&e);
	}
}

/* The namespace `fd`, by a path that only root may walk, as somebody else. */
static bool opens_hidden(int fd, const char *path)
{
	struct err e = ERR_INIT;
	bool same, hidden;
	int found;

	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
		     CAP_SYS_PTRACE);
	if (capng_change_id(65534, 65534, CAPNG_DROP_SUPP_GRP))
		return false;
	hidden = access(path, F_OK) && errno == EACCES;
	found = netns_open(path, &e);
	same = found >= 0 && netns_is_same(found, fd);
	netns_close(found);
	/* What is named there, and is not, is not found either. */
	return hidden && same &&
	       netns_open("/run/closed/other", &e) == -ENOENT &&
	       strstr(e.text, "/run/closed/other is in a folder");
}

static void a_folder_that_is_closed_does_not_hide_it(void **state UNUSED)
{
	int fd, status;
	pid_t child;

	assert_int_equal(netns_create("hid", NULL), 0);
	fd = netns_open("hid", NULL);
	assert_int_equal(mkdir("/run/closed", 0700), 0);
	assert_int_equal(mkdir("/run/closed/n s", 0755), 0);
	assert_int_equal(mknod("/run/closed/n s/x", S_IFREG | 0444, 0), 0);
	assert_int_equal(symlink("closed", "/run/way"), 0);
	assert_int_equal(mount("/run/netns/hid", "/run/closed/n s/x", "none",
			       MS_BIND, NULL),
			 0);
	child = fork();
	if (!child) /* who lives in it */
		_exit(setns(fd, CLONE_NEWNET) || pause());
	for (;;) {
		int theirs = netns_open_pid(child, NULL);
		bool moved = netns_is_same(theirs, fd);

		netns_close(theirs);
		if (moved)
			break;
		usleep(1000);
	}
	pid_t looker = fork();
	if (!looker)
		_exit(!opens_hidden(fd, "/run/way/n s/x"));
	assert_int_equal(waitpid(looker, &status, 0), looker);
	assert_int_equal(status, 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	umount2("/run/closed/n s/x", MNT_DETACH);
	netns_close(fd);
	assert_int_equal(netns_delete("hid", NULL), 0);
}

static void a_plain_file_is_not_a_namespace(void **state UNUSED)
{
	int fd;

	assert_int_equal(netns_create("real", NULL), 0);
	fd = open(NETNS_DIR "/fake", O_CREAT | O_RDONLY | O_CLOEXEC, 0600);
	close(fd);
	assert_int_equal(netns_open("fake", NULL), -ENOENT);
	assert_int_equal(netns_delete("fake", NULL), 0);
	assert_int_equal(netns_delete("real", NULL), 0);
}

static void a_process_names_its_namespace(void **state UNUSED)
{
	int self = netns_open_self(NULL), fd, ready[2];
	char ref[32], c;
	pid_t pid;

	assert_return_code(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNET) || write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	snprintf(ref, sizeof(ref), "pid:%d", pid);
	fd = netns_open(ref, NULL);
	assert_return_code(fd, 0);
	assert_false(netns_is_same(fd, self));
	netns_close(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(netns_open(ref, NULL), -ENOENT);
	netns_close(self);
	close(ready[0]);
	close(ready[1]);
}

static int inode_here(void *arg)
{
	int fd = netns_open_self(NULL);

	*(uint64_t *)arg = netns_inode(fd);
	netns_close(fd);
	return 42;
}

static void a_run_inside_comes_back_home(void **state UNUSED)
{
	int self = netns_open_self(NULL), fd, after;
	uint64_t inside;

	assert_int_equal(netns_create("box", NULL), 0);
	fd = netns_open("box", NULL);
	assert_int_equal(netns_run(fd, inode_here, &inside, NULL), 42);
	assert_int_equal(inside, netns_inode(fd));
	after = netns_open_self(NULL);
	assert_true(netns_is_same(self, after));
	assert_int_equal(netns_run(NL_CURRENT_NS, inode_here, &inside, NULL),
			 42);
	assert_int_equal(inside, netns_inode(self));
	netns_close(fd);
	netns_close(self);
	netns_close(after);
	assert_int_equal(netns_delete("box", NULL), 0);
}

/* --- watching ------------------------------------------------------------ */
struct diary {
	struct loop *loop;
	char text[256];
};

static void write_down(void *arg, const char *name, bool present)
{
	struct diary *d = arg;
	size_t len = strlen(d->text);
	int fd;

	snprintf(d->text + len, sizeof(d->text) - len, "%c%s ",
		 present ? '+' : '-', name);
	if (!present)
		return;
	fd = netns_open(name, NULL);
	assert_return_code(fd, 0); /* what is told can be opened */
	netns_close(fd);
}

static void names_that_come_and_go_are_told(void **state UNUSED)
{
	struct diary d = { .loop = loop_create() };
	struct netns_watch *w;

	assert_int_equal(netns_create("first", NULL), 0);
	assert_int_equal(netns_watch_create(&w, d.loop, write_down, &d, NULL),
			 0);
	assert_string_equal(d.text, "");
	loop_run_ms(d.loop, 20);
	assert_string_equal(d.text, "+first ");
	assert_int_equal(netns_create("second", NULL), 0);
	loop_run_ms(d.loop, 20);
	assert_int_equal(netns_delete("first", NULL), 0);
	loop_run_ms(d.loop, 20);
	/* gone and back before anybody looked: it is another one */
	assert_int_equal(netns_delete("second", NULL), 0);
	assert_int_equal(netns_create("second", NULL), 0);
	loop_run_ms(d.loop, 20);
	assert_string_equal(d.text, "+first +second -first -second +second ");
	assert_int_equal(netns_delete("second", NULL), 0);
	netns_watch_destroy(w);
	loop_destroy(d.loop);
}

static void the_watch_waits_for_the_folder(void **state UNUSED)
{
	struct diary d = { .loop = loop_create() };
	struct netns_watch *w;

	umount2(NETNS_DIR, MNT_DETACH);
	rmdir(NETNS_DIR);
	assert_int_equal(netns_watch_create(&w, d.loop, write_down, &d, NULL),
			 0);
	loop_run_ms(d.loop, 20);
	assert_int_equal(mkdir("/run/other", 0700), 0);
	assert_int_equal(netns_create("late", NULL), 0);
	loop_run_ms(d.loop, 30);
	assert_string_equal(d.text, "+late ");
	assert_int_equal(netns_delete("late", NULL), 0);
	umount2(NETNS_DIR, MNT_DETACH);
	assert_int_equal(rmdir(NETNS_DIR), 0);
	loop_run_ms(d.loop, 20);
	assert_int_equal(netns_create("again", NULL), 0);
	loop_run_ms(d.loop, 30);
	assert_string_equal(d.text, "+late -late +again ");
	assert_int_equal(netns_delete("again", NULL), 0);
	netns_watch_destroy(w);
	loop_destroy(d.loop);
}

/* --- settings ------------------------------------------------------------ */
static void settings_belong_to_their_namespace(void **state UNUSED)
{
	struct sysctl_device lo = { .family = "ipv6",
				    .device = "lo",
				    .setting = "disable_ipv6" };
	char text[SYSCTL_VALUE_MAX];
	long inside, outside;

	assert_int_equal(netns_create("box", NULL), 0);
	lo.netns_fd = netns_open("box", NULL);
	assert_int_equal(sysctl_device_write(&lo, 1, NULL), 0);
	assert_int_equal(sysctl_device_read(&lo, &inside, NULL), 0);
	netns_close(lo.netns_fd);
	lo.netns_fd = NL_CURRENT_NS;
	assert_int_equal(sysctl_device_read(&lo, &outside, NULL), 0);
	assert_int_equal(inside, 1);
	assert_int_equal(outside, 0);
	assert_int_equal(
		sysctl_read(NL_CURRENT_NS, "kernel/ostype", text, NULL), 0);
	assert_string_equal(text, "Linux");
	assert_int_equal(netns_delete("box", NULL), 0);
}

static void settings_that_are_not_there_are_named(void **state UNUSED)
{
	struct sysctl_device bad = { .netns_fd = NL_CURRENT_NS,
				     .family = "ipv4",
				     .device = "../all",
				     .setting = "forwarding" };
	struct err e = ERR_INIT;
	long v;

	assert_int_equal(sysctl_read_int(NL_CURRENT_NS, "net/nothing", &v, &e),
			 -ENOENT);
	assert_non_null(strstr(e.text, "net/nothing"));
	err_fini(&e);
	assert_int_equal(
		sysctl_read_int(NL_CURRENT_NS, "kernel/ostype", &v, &e),
		-EINVAL);
	err_fini(&e);
	assert_int_equal(sysctl_device_read(&bad, &v, &e), -EINVAL);
	err_fini(&e);
}

static void device_names_with_dots_are_addressed(void **state UNUSED)
{
	struct nl_link_change br = { .set = NL_LINK_NAME, .name = "br.1" };
	struct sysctl_device d = { .netns_fd = NL_CURRENT_NS,
				   .family = "ipv4",
				   .device = "br.1",
				   .setting = "rp_filter" };
	struct nl_link l;
	struct nl *nl;
	long v;

	assert_int_equal(nl_open(&nl, NL_CURRENT_NS, NULL), 0);
	assert_int_equal(nl_link_add(nl, "bridge", &br, NULL), 0);
	assert_int_equal(sysctl_device_write(&d, 2, NULL), 0);
	assert_int_equal(sysctl_device_read(&d, &v, NULL), 0);
	assert_int_equal(v, 2);
	assert_int_equal(nl_link_find(nl, "br.1", &l, NULL), 0);
	assert_int_equal(nl_link_del(nl, l.ifindex, NULL), 0);
	nl_close(nl);
}

static void missing_privileges_are_explained(void **state UNUSED)
{
	struct str s = STR_INIT;
	struct priv p;

	priv_probe(&p);
	assert_true(p.has[PRIV_NET_ADMIN]); /* or this test would be skipped */
	p.has[PRIV_NET_RAW] = false;
	priv_explain(&p, &s);
	assert_non_null(strstr(str_text(&s), "without CAP_NET_RAW, no "));
	assert_null(strstr(str_text(&s), "CAP_NET_ADMIN"));
	str_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_made_opened_and_deleted),
		cmocka_unit_test(the_ip_command_agrees_about_names),
		cmocka_unit_test(bad_references_are_refused_with_a_sentence),
		cmocka_unit_test(a_plain_file_is_not_a_namespace),
		cmocka_unit_test(a_process_names_its_namespace),
		cmocka_unit_test(a_folder_that_is_closed_does_not_hide_it),
		cmocka_unit_test(a_run_inside_comes_back_home),
		cmocka_unit_test(names_that_come_and_go_are_told),
		cmocka_unit_test(the_watch_waits_for_the_folder),
		cmocka_unit_test(settings_belong_to_their_namespace),
		cmocka_unit_test(settings_that_are_not_there_are_named),
		cmocka_unit_test(device_names_with_dots_are_addressed),
		cmocka_unit_test(missing_privileges_are_explained),
	};

	if (!sandbox_enter())
		return SANDBOX_SKIPPED;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
