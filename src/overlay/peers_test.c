/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct peer_spec peer(const char *remote, uint32_t port)
{
	struct peer_spec s = { .port = port };

	assert_int_equal(ip_addr_parse(remote, &s.remote), 0);
	return s;
}

static void peers_and_networks_are_found(void **state UNUSED)
{
	struct peer_spec p[] = { peer("192.0.2.1", 900),
				 peer("2001:db8::1", 901),
				 peer("192.0.2.3", 902) };
	uint32_t ports[] = { 902, 900 };
	struct vni_spec v[] = { { 100, 7, ports, 2 }, { VNI_MAX, 8, NULL, 0 } };
	struct peer_spec stranger = peer("192.0.2.9", 1);
	struct err e = ERR_INIT;
	struct peers *t = peers_build(p, 3, v, 2, &e);
	const uint32_t *list;
	unsigned n;

	assert_non_null(t);
	assert_int_equal(peers_find(t, &p[1].remote), 901);
	assert_int_equal(peers_find(t, &stranger.remote), 0);
	assert_int_equal(peers_domain(t, 100), 7);
	assert_int_equal(peers_domain(t, 101), PEERS_NONE);
	list = peers_of_vni(t, 100, &n);
	assert_int_equal(n, 2);
	assert_int_equal(list[0], 900);
	assert_int_equal(list[1], 902);
	peers_of_vni(t, VNI_MAX, &n);
	assert_int_equal(n, 0);
	peers_destroy(t);
	peers_destroy(NULL);
}

static void refused(const struct peer_spec *p, unsigned n_p,
		    const struct vni_spec *v, unsigned n_v, const char *word)
{
	struct err e = ERR_INIT;

	assert_null(peers_build(p, n_p, v, n_v, &e));
	assert_non_null(strstr(e.text, word));
	err_fini(&e);
}

static void what_occurs_twice_or_is_unknown_is_refused(void **state UNUSED)
{
	struct peer_spec twice[] = { peer("192.0.2.1", 900),
				     peer("192.0.2.1", 901) };
	struct peer_spec ports[] = { peer("192.0.2.1", 900),
				     peer("192.0.2.2", 900) };
	uint32_t unknown[] = { 77 }, again[] = { 900, 900 };
	struct vni_spec zero[] = { { 0, 1, NULL, 0 } };
	struct vni_spec large[] = { { VNI_MAX + 1, 1, NULL, 0 } };
	struct vni_spec same[] = { { 5, 1, NULL, 0 }, { 5, 2, NULL, 0 } };
	struct vni_spec stray[] = { { 5, 1, unknown, 1 } };
	struct vni_spec doubled[] = { { 5, 1, again, 2 } };

	refused(twice, 2, NULL, 0, "192.0.2.1");
	refused(ports, 2, NULL, 0, "900");
	refused(NULL, 0, zero, 1, "range");
	refused(NULL, 0, large, 1, "range");
	refused(NULL, 0, same, 2, "two networks");
	refused(twice, 1, stray, 1, "77");
	refused(twice, 1, doubled, 1, "twice");
}

static void strangers_are_told_of_once_in_a_while(void **state UNUSED)
{
	struct strangers s = { 0 };

	assert_int_equal(strangers_due(&s, 1), 0);
	for (int i = 0; i < 5; i++)
		strangers_note(&s);
	assert_int_equal(strangers_due(&s, 2), 5);
	strangers_note(&s);
	assert_int_equal(strangers_due(&s, 3), 0);
	assert_int_equal(strangers_due(&s, 2 + STRANGERS_REPORT_MS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(peers_and_networks_are_found),
		cmocka_unit_test(what_occurs_twice_or_is_unknown_is_refused),
		cmocka_unit_test(strangers_are_told_of_once_in_a_while),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
