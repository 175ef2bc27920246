/* SPDX-License-Identifier: Apache-2.0 */
/* VLAN membership of a port: into which VLAN does a frame come, and with which
 * tag does it leave?
 *
 * What      pure functions over a port's mode and its set of VLANs.
 * Why so    classification on entry and tagging on exit are all that modes
 *           are; inside the bridge there is only the VLAN id.
 * Masks     classify looks at the presence, type and VLAN id of the outermost
 *           tag; never at its priority. egress looks at nothing of the packet.
 * Threads   values.
 * Refs      IEEE 802.1Q-2018 6.9 (EISS), 8.6.1, 8.6.2, 8.6.4 (ingress, egress),
 *           9.6 (VLAN ids 0 and 0xfff). */
#ifndef L2_VLAN_H
#define L2_VLAN_H

#include "flow/key.h"
#include "packet/drop.h"

#define VLAN_TPID_C 0x8100u
#define VLAN_TPID_S 0x88a8u
#define VLAN_VID_MASK 0x0fffu
#define VLAN_VID_MAX 4094u

enum vlan_mode {
	VLAN_TRUNK,           /* tagged only, VLANs of its set */
	VLAN_ACCESS,          /* untagged, one VLAN; a tag is refused, but for
			       * priority tags (VLAN id 0) and its own VLAN */
	VLAN_NATIVE_UNTAGGED, /* trunk; its own VLAN comes and goes untagged */
	VLAN_NATIVE_TAGGED,   /* trunk; untagged comes in too, leaves tagged */
	VLAN_QINQ,            /* all it sends goes into one VLAN, tags inside */
};

struct vlan_set {
	uint64_t w[64];
};

struct vlan_port {
	enum vlan_mode mode;
	uint16_t pvid;           /* its own VLAN; not for a plain trunk */
	uint16_t tpid;           /* of the bridge's tags; 0: VLAN_TPID_C */
	struct vlan_set allowed; /* trunk and native modes */
};

/* What came in. */
struct vlan_in {
	uint16_t vid;
	uint16_t drop;   /* enum drop; DROP_NONE: fine */
	bool has_tag;    /* the outermost tag is the bridge's (id 0 included) */
	bool tag_is_vid; /* ... and carries this very VLAN id */
};

/* How it leaves. */
enum vlan_out {
	VLAN_OUT_NOT_MEMBER,
	VLAN_OUT_UNTAGGED,
	VLAN_OUT_TAGGED,
};

/* What to do to the frame, between in and out. */
enum vlan_edit {
	VLAN_KEEP,
	VLAN_POP,     /* take the outermost tag off */
	VLAN_PUSH,    /* put a tag with the VLAN id on, priority 0 */
	VLAN_SET_VID, /* write the VLAN id into the tag that is there */
};

void vlan_set_clear(struct vlan_set *s);
void vlan_set_fill(struct vlan_set *s); /* 1 to 4094 */
void vlan_set_add(struct vlan_set *s, uint16_t vid);
static inline bool vlan_set_has(const struct vlan_set *s, uint16_t vid)
{
	return vid < 4096u && s->w[vid / 64] >> (vid % 64) & 1;
}
unsigned vlan_set_count(const struct vlan_set *s);
bool vlan_set_equal(const struct vlan_set *a, const struct vlan_set *b);

const char *vlan_mode_name(enum vlan_mode m);

static inline uint16_t vlan_port_tpid(const struct vlan_port *p)
{
	return p->tpid ? p->tpid : VLAN_TPID_C;
}

/* `outer` is key.vlan[0]. */
struct vlan_in vlan_classify(const struct vlan_port *p, struct key_vlan outer);
enum vlan_out vlan_egress(const struct vlan_port *p, uint16_t vid);
enum vlan_edit vlan_edit(struct vlan_in in, enum vlan_out out);

#endif
