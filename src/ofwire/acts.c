/* SPDX-License-Identifier: Apache-2.0 */
#include "ofwire/acts.h"

#define FIRST_BYTES 256u

static const struct {
	const char *name;
	uint16_t size;
} kinds[N_OFA] = {
#define ACTION(kind_, type) [OFA_##kind_] = { #kind_, sizeof(struct type) },
#include "ofwire/actions.def"
#undef ACTION
};

size_t of_act_struct_size(enum of_act_kind kind)
{
	must(kind > OFA_NONE && kind < N_OFA);
	return kinds[kind].size;
}

const char *of_act_kind_name(enum of_act_kind kind)
{
	must(kind > OFA_NONE && kind < N_OFA);
	return kinds[kind].name;
}

static bool nests(uint16_t kind)
{
	return kind == OFA_CLONE || kind == OFA_WRITE_ACTIONS || kind == OFA_CT;
}

struct of_act_list of_act_nested(const struct of_act *a)
{
	size_t own = kinds[a->kind].size;

	if (!nests(a->kind))
		return (struct of_act_list){ a, 0 };
	return (struct of_act_list){
		(const struct of_act *)(const void *)((const char *)a + own),
		a->len - own
	};
}

void of_acts_fini(struct of_acts *acts)
{
	free(acts->data);
	memset(acts, 0, sizeof(*acts));
}

struct of_act_list of_acts_list(const struct of_acts *acts)
{
	static const struct of_act nothing;

	if (!acts->data)
		return (struct of_act_list){ &nothing, 0 };
	return (struct of_act_list){
		(const struct of_act *)(const void *)acts->data, acts->len
	};
}

bool of_act_list_equal(struct of_act_list a, struct of_act_list b)
{
	return a.len == b.len && (!a.len || !memcmp(a.first, b.first, a.len));
}

static void *grow(struct of_acts *acts, size_t n)
{
	void *p;

	if (acts->cap - acts->len < n) {
		size_t cap = MAX(acts->cap * 2, FIRST_BYTES);

		acts->cap = MAX(cap, acts->len + n);
		acts->data = xrealloc(acts->data, acts->cap);
	}
	p = acts->data + acts->len;
	memset(p, 0, n);
	acts->len += n;
	return p;
}

void *of_acts_add(struct of_acts *acts, enum of_act_kind kind, size_t extra)
{
	size_t len = ROUND_UP(of_act_struct_size(kind) + extra, 8);
	struct of_act *a = grow(acts, len);

	a->kind = (uint16_t)kind;
	a->len = (uint32_t)len;
	return a;
}

void of_acts_int(struct of_acts *acts, enum of_act_kind kind, uint64_t v)
{
	struct of_act_int *a = of_acts_add(acts, kind, 0);

	must(kinds[kind].size == sizeof(*a));
	a->v = v;
}

void of_acts_output(struct of_acts *acts, uint32_t port, uint16_t max_len)
{
	struct of_act_controller *c;
	struct of_act_output *a;

	if (port == OF_PORT_CONTROLLER) {
		c = of_acts_add(acts, OFA_CONTROLLER, 0);
		c->max_len = max_len;
		c->reason = 1; /* an action says so */
		c->meter = OF_CONTROLLER_NO_METER;
		return;
	}
	a = of_acts_add(acts, OFA_OUTPUT, 0);
	a->port = port;
}

void of_acts_append(struct of_acts *acts, struct of_act_list list)
{
	if (list.len)
		memcpy(grow(acts, list.len), list.first, list.len);
}

void of_acts_end(struct of_acts *acts, size_t at)
{
	struct of_act *a = (struct of_act *)(void *)(acts->data + at);

	must(nests(a->kind));
	a->len = (uint32_t)(acts->len - at);
}

void of_acts_settle(struct of_acts *acts, const struct match *m)
{
	bool tagged = m->key.vlan[0].tci & KEY_VLAN_PRESENT;

	for (size_t at = 0; at < acts->len;) {
		struct of_act *a = (struct of_act *)(void *)(acts->data + at);

		if (a->kind == OFA_SET_VLAN_VID ||
		    a->kind == OFA_SET_VLAN_PCP) {
			((struct of_act_vlan *)(void *)a)->has_vlan = tagged;
			tagged = true;
		} else if (a->kind == OFA_PUSH_VLAN) {
			tagged = true;
		} else if (a->kind == OFA_STRIP_VLAN) {
			tagged = false;
		} else if (a->kind == OFA_SET_TP_SRC ||
			   a->kind == OFA_SET_TP_DST) {
			((struct of_act_tp *)(void *)a)->proto =
				m->key.ip_proto;
		}
		at += a->len;
	}
}
