/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/vlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct vlan_port port(enum vlan_mode mode, uint16_t pvid)
{
	struct vlan_port p = { .mode = mode, .pvid = pvid };

	vlan_set_add(&p.allowed, 20);
	vlan_set_add(&p.allowed, 30);
	return p;
}

static const struct key_vlan untagged;

static struct key_vlan tag(uint16_t vid)
{
	return (struct key_vlan){
		.tpid = VLAN_TPID_C,
		.tci = (uint16_t)(5 << 13 | KEY_VLAN_PRESENT | vid),
	};
}

struct ingress_case {
	enum vlan_mode mode;
	int tag; /* -1: untagged */
	uint16_t vid;
	enum drop drop;
};

/* pvid is 10; 20 and 30 are allowed. */
static const struct ingress_case ingress_cases[] = {
	{ VLAN_ACCESS, -1, 10, DROP_NONE },
	{ VLAN_ACCESS, 0, 10, DROP_NONE },
	{ VLAN_ACCESS, 10, 10, DROP_NONE },
	{ VLAN_ACCESS, 20, 0, DROP_VLAN_INGRESS },
	{ VLAN_TRUNK, -1, 0, DROP_VLAN_NONE },
	{ VLAN_TRUNK, 0, 0, DROP_VLAN_NONE },
	{ VLAN_TRUNK, 20, 20, DROP_NONE },
	{ VLAN_TRUNK, 10, 0, DROP_VLAN_INGRESS },
	{ VLAN_TRUNK, 4095, 0, DROP_VLAN_INGRESS },
	{ VLAN_NATIVE_UNTAGGED, -1, 10, DROP_NONE },
	{ VLAN_NATIVE_UNTAGGED, 10, 10, DROP_NONE },
	{ VLAN_NATIVE_UNTAGGED, 30, 30, DROP_NONE },
	{ VLAN_NATIVE_UNTAGGED, 40, 0, DROP_VLAN_INGRESS },
	{ VLAN_NATIVE_TAGGED, -1, 10, DROP_NONE },
	{ VLAN_NATIVE_TAGGED, 0, 10, DROP_NONE },
	{ VLAN_NATIVE_TAGGED, 20, 20, DROP_NONE },
	{ VLAN_QINQ, -1, 10, DROP_NONE },
	{ VLAN_QINQ, 20, 10, DROP_NONE },
	{ VLAN_QINQ, 4095, 10, DROP_NONE },
};

static void a_frame_is_classified_as_the_port_mode_says(void **state UNUSED)
{
	for (unsigned i = 0; i < ARRAY_SIZE(ingress_cases); i++) {
		const struct ingress_case *c = &ingress_cases[i];
		struct vlan_port p = port(c->mode, 10);
		struct vlan_in in = vlan_classify(
			&p, c->tag < 0 ? untagged : tag((uint16_t)c->tag));

		assert_int_equal(in.drop, c->drop);
		assert_int_equal(in.vid, c->vid);
	}
}

static void a_foreign_tag_type_counts_as_untagged(void **state UNUSED)
{
	struct vlan_port p = port(VLAN_ACCESS, 10);
	struct key_vlan s_tag = tag(20);
	struct vlan_in in;

	s_tag.tpid = VLAN_TPID_S;
	in = vlan_classify(&p, s_tag);
	assert_int_equal(in.vid, 10);
	assert_false(in.has_tag);
	p.tpid = VLAN_TPID_S;
	assert_int_equal(vlan_classify(&p, s_tag).drop, DROP_VLAN_INGRESS);
}

static void priority_bits_do_not_change_the_vlan(void **state UNUSED)
{
	struct vlan_port p = port(VLAN_TRUNK, 0);

	for (uint16_t pcp = 0; pcp < 8; pcp++) {
		struct key_vlan t = tag(20);

		t.tci = (uint16_t)((t.tci & 0x1fff) | pcp << 13);
		assert_int_equal(vlan_classify(&p, t).vid, 20);
	}
}

struct egress_case {
	enum vlan_mode mode;
	uint16_t vid;
	enum vlan_out out;
};

static const struct egress_case egress_cases[] = {
	{ VLAN_ACCESS, 10, VLAN_OUT_UNTAGGED },
	{ VLAN_ACCESS, 20, VLAN_OUT_NOT_MEMBER },
	{ VLAN_TRUNK, 20, VLAN_OUT_TAGGED },
	{ VLAN_TRUNK, 10, VLAN_OUT_NOT_MEMBER },
	{ VLAN_NATIVE_UNTAGGED, 10, VLAN_OUT_UNTAGGED },
	{ VLAN_NATIVE_UNTAGGED, 20, VLAN_OUT_TAGGED },
	{ VLAN_NATIVE_UNTAGGED, 40, VLAN_OUT_NOT_MEMBER },
	{ VLAN_NATIVE_TAGGED, 10, VLAN_OUT_TAGGED },
	{ VLAN_NATIVE_TAGGED, 30, VLAN_OUT_TAGGED },
	{ VLAN_QINQ, 10, VLAN_OUT_UNTAGGED },
	{ VLAN_QINQ, 20, VLAN_OUT_NOT_MEMBER },
};

static void a_frame_leaves_as_the_port_mode_says(void **state UNUSED)
{
	for (unsigned i = 0; i < ARRAY_SIZE(egress_cases); i++) {
		const struct egress_case *c = &egress_cases[i];
		struct vlan_port p = port(c->mode, 10);

		assert_int_equal(vlan_egress(&p, c->vid), c->out);
	}
}

static void the_edit_leads_from_what_came_to_what_leaves(void **state UNUSED)
{
	struct vlan_in bare = { .vid = 10 };
	struct vlan_in priority = { .vid = 10, .has_tag = true };
	struct vlan_in tagged = { .vid = 10,
				  .has_tag = true,
				  .tag_is_vid = true };

	assert_int_equal(vlan_edit(bare, VLAN_OUT_UNTAGGED), VLAN_KEEP);
	assert_int_equal(vlan_edit(bare, VLAN_OUT_TAGGED), VLAN_PUSH);
	assert_int_equal(vlan_edit(priority, VLAN_OUT_UNTAGGED), VLAN_POP);
	assert_int_equal(vlan_edit(priority, VLAN_OUT_TAGGED), VLAN_SET_VID);
	assert_int_equal(vlan_edit(tagged, VLAN_OUT_UNTAGGED), VLAN_POP);
	assert_int_equal(vlan_edit(tagged, VLAN_OUT_TAGGED), VLAN_KEEP);
}

static void a_full_set_has_all_vlans_but_the_reserved(void **state UNUSED)
{
	struct vlan_set s;

	vlan_set_fill(&s);
	assert_int_equal(vlan_set_count(&s), 4094);
	assert_false(vlan_set_has(&s, 0));
	assert_true(vlan_set_has(&s, 1));
	assert_true(vlan_set_has(&s, 4094));
	assert_false(vlan_set_has(&s, 4095));
	assert_false(vlan_set_has(&s, 0xffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_classified_as_the_port_mode_says),
		cmocka_unit_test(a_foreign_tag_type_counts_as_untagged),
		cmocka_unit_test(priority_bits_do_not_change_the_vlan),
		cmocka_unit_test(a_frame_leaves_as_the_port_mode_says),
		cmocka_unit_test(the_edit_leads_from_what_came_to_what_leaves),
		cmocka_unit_test(a_full_set_has_all_vlans_but_the_reserved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
