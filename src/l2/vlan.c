/* SPDX-License-Identifier: Apache-2.0 */
#include "l2/vlan.h"

void vlan_set_clear(struct vlan_set *s)
{
	memset(s, 0, sizeof(*s));
}

void vlan_set_fill(struct vlan_set *s)
{
	memset(s, 0xff, sizeof(*s));
	s->w[0] &= ~1ull;          /* 0: priority only */
	s->w[63] &= ~(1ull << 63); /* 4095: reserved */
}

void vlan_set_add(struct vlan_set *s, uint16_t vid)
{
	must(vid && vid <= VLAN_VID_MAX);
	s->w[vid / 64] |= 1ull << (vid % 64);
}

unsigned vlan_set_count(const struct vlan_set *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(s->w); i++)
		n += (unsigned)__builtin_popcountll(s->w[i]);
	return n;
}

bool vlan_set_equal(const struct vlan_set *a, const struct vlan_set *b)
{
	return !memcmp(a, b, sizeof(*a));
}

const char *vlan_mode_name(enum vlan_mode m)
{
	static const char *const names[] = {
		[VLAN_TRUNK] = "trunk",
		[VLAN_ACCESS] = "access",
		[VLAN_NATIVE_UNTAGGED] = "native-untagged",
		[VLAN_NATIVE_TAGGED] = "native-tagged",
		[VLAN_QINQ] = "dot1q-tunnel",
	};

	return names[m];
}

static struct vlan_in in_drop(enum drop why)
{
	return (struct vlan_in){ .drop = (uint16_t)why };
}

/* Untagged, or tagged with VLAN id 0, which carries a priority only (9.6). */
static struct vlan_in in_own_vlan(const struct vlan_port *p, bool has_tag)
{
	if (p->mode == VLAN_TRUNK)
		return in_drop(DROP_VLAN_NONE);
	return (struct vlan_in){ .vid = p->pvid, .has_tag = has_tag };
}

static bool port_takes(const struct vlan_port *p, uint16_t vid)
{
	switch (p->mode) {
	case VLAN_ACCESS:
		return vid == p->pvid;
	case VLAN_TRUNK:
		return vlan_set_has(&p->allowed, vid);
	case VLAN_NATIVE_UNTAGGED:
	case VLAN_NATIVE_TAGGED:
		return vid == p->pvid || vlan_set_has(&p->allowed, vid);
	case VLAN_QINQ:
		return vid == p->pvid;
	}
	return false;
}

struct vlan_in vlan_classify(const struct vlan_port *p, struct key_vlan outer)
{
	uint16_t vid = outer.tci & VLAN_VID_MASK;
	bool tagged =
		outer.tci & KEY_VLAN_PRESENT && outer.tpid == vlan_port_tpid(p);

	/* What a customer tags himself stays inside. */
	if (p->mode == VLAN_QINQ)
		return (struct vlan_in){ .vid = p->pvid };
	if (!tagged || !vid)
		return in_own_vlan(p, tagged);
	if (vid > VLAN_VID_MAX || !port_takes(p, vid))
		return in_drop(DROP_VLAN_INGRESS);
	return (struct vlan_in){ .vid = vid,
				 .has_tag = true,
				 .tag_is_vid = true };
}

enum vlan_out vlan_egress(const struct vlan_port *p, uint16_t vid)
{
	if (!port_takes(p, vid))
		return VLAN_OUT_NOT_MEMBER;
	switch (p->mode) {
	case VLAN_ACCESS:
	case VLAN_QINQ:
		return VLAN_OUT_UNTAGGED;
	case VLAN_NATIVE_UNTAGGED:
		return vid == p->pvid ? VLAN_OUT_UNTAGGED : VLAN_OUT_TAGGED;
	case VLAN_TRUNK:
	case VLAN_NATIVE_TAGGED:
		return VLAN_OUT_TAGGED;
	}
	return VLAN_OUT_NOT_MEMBER;
}

enum vlan_edit vlan_edit(struct vlan_in in, enum vlan_out out)
{
	if (out == VLAN_OUT_UNTAGGED)
		return in.has_tag ? VLAN_POP : VLAN_KEEP;
	if (!in.has_tag)
		return VLAN_PUSH;
	return in.tag_is_vid ? VLAN_KEEP : VLAN_SET_VID;
}
