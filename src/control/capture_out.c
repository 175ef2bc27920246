/* SPDX-License-Identifier: Apache-2.0 */
#include "control/capture_out.h"

#include <json-c/json.h>
#include <stdio.h>
#include <time.h>

#include "control/internal.h"
#include "packet/checksum.h"
#include "packet/outer.h"
#include "packet/pcapng.h"
#include "packet/print.h"
#include "packet/segment.h"
#include "switch/switch.h"

#define NS 1000000000ull
#define N_KINDS 2u /* of an interface: the port itself, the tunnel's outside */
#define TABLE_SIZE ((DP_MAX_PORTS + 1) * N_KINDS * sizeof(uint32_t))
#define OUTER_ETHERNET 14u /* pushed with the rest, not shown: there is none */
#define WORK_PACKETS 2u

/* --- life --- */

bool capture_out_init(struct capture_out *o)
{
	struct env *env = o->c->config.env;

	o->wall_ns = (int64_t)(env_wall_ns(env) - env_now_ns(env));
	o->started_ns = env_wall_ns(env);
	o->interface_of = lazy_alloc(TABLE_SIZE);
	o->pool = packet_pool_create(WORK_PACKETS);
	return o->interface_of && o->pool;
}

void capture_out_fini(struct capture_out *o)
{
	lazy_free(o->interface_of, TABLE_SIZE);
	packet_pool_destroy(o->pool);
	str_fini(&o->bytes);
	for (uint32_t i = 0; i < o->n_interfaces; i++)
		free(o->interfaces[i].name);
	free(o->interfaces);
}

void capture_out_forget_ports(struct capture_out *o)
{
	lazy_free(o->interface_of, TABLE_SIZE);
	o->interface_of = lazy_alloc(TABLE_SIZE);
	must(o->interface_of);
}

/* --- names --- */

static const char *port_name(const struct capture_out *o, uint32_t id,
			     char room[24])
{
	const struct real_port *p = real_by_id(&o->c->real, id);

	if (p)
		return p->name;
	if (!id)
		return "weft";
	snprintf(room, 24, "port %u", id);
	return room;
}

static const char *names_port(void *ctx, uint32_t id)
{
	const struct snap_port *p = snapshot_port(ctx, id);

	return p ? p->name : NULL;
}

static void actions_text(const struct capture_out *o, struct act_list list,
			 struct str *out)
{
	struct act_names names = {
		.port_name = names_port,
		.ctx = (void *)(uintptr_t)switch_snapshot(o->c->sw),
	};

	acts_format(list, &names, out);
}

/* --- what is said of a packet --- */

static void separate(struct str *out)
{
	if (out->len)
		str_add(out, "; ");
}

/* The rule that decided, when it still does. */
static void say_rule(struct capture_out *o, const struct capture_record *r,
		     struct str *out)
{
	const struct flow_key *key = capture_record_key(r);
	const struct snap_port *in =
		snapshot_port(switch_snapshot(o->c->sw), r->in_port);
	struct explain_rule rule = { 0 };

	if (!key || !in || !in->bridge || !in->bridge->rules)
		return;
	if (!explain_rule_of(o->c, key, capture_record_actions(r), &rule))
		return;
	separate(out);
	str_addf(out, "rule of %s, %s", rule.bridge, rule.text);
	if (rule.line)
		str_addf(out, " (%s:%u)", rule.file, rule.line);
}

static void say_verdict(struct capture_out *o, const struct capture_record *r,
			struct str *out)
{
	char room[24];

	switch ((enum capture_point)r->point) {
	case CAPTURE_IN:
		if (r->actions_len)
			actions_text(o, capture_record_actions(r), out);
		say_rule(o, r, out);
		break;
	case CAPTURE_OUT:
		str_addf(out, "from %s", port_name(o, r->in_port, room));
		break;
	case CAPTURE_DROP:
		str_addf(out, "dropped: %s (%s)",
			 drop_sentence((enum drop)r->drop),
			 drop_name((enum drop)r->drop));
		break;
	}
}

static bool is_tunnel(const struct capture_out *o,
		      const struct capture_record *r)
{
	const struct real_port *p = real_by_id(&o->c->real, r->port);

	return p && p->kind == REAL_TUNNEL && r->flags & PACKET_TUNNEL;
}

static void say_tunnel(const struct capture_out *o,
		       const struct capture_record *r, struct str *out)
{
	const struct ip_addr *far =
		r->point == CAPTURE_OUT ? &r->tun_dst : &r->tun_src;
	char ip[IP_STR_LEN];

	if (!is_tunnel(o, r))
		return;
	separate(out);
	str_addf(out, "vni %llu %s %s", (unsigned long long)r->tun_id,
		 r->point == CAPTURE_OUT ? "to" : "from",
		 ip_addr_format(far, ip));
	if (o->outer && r->point == CAPTURE_OUT)
		str_add(out, ", whose outer source the kernel chooses");
}

static void say_offloads(const struct capture_out *o,
			 const struct capture_record *r, struct str *out)
{
	if (o->wire || (o->outer && is_tunnel(o, r)))
		return;
	if (r->gso_size) {
		separate(out);
		str_addf(out, "GSO: segments of %u bytes", r->gso_size);
	}
	if (r->flags & PACKET_CSUM_PARTIAL) {
		separate(out);
		str_add(out, "checksum not yet finished");
	}
}

static void say_all(struct capture_out *o, const struct capture_record *r,
		    struct str *out)
{
	say_verdict(o, r, out);
	say_tunnel(o, r, out);
	say_offloads(o, r, out);
}

/* --- one packet written --- */

/* A piece of a record as it is shown. */
struct shown {
	const struct capture_record *r;
	const uint8_t *bytes;
	uint32_t len, wire_len;
	uint32_t packet_type;
	bool outer;
	uint64_t lost;
	const char *comment;
};

static void tell_interface(struct capture_out *o, uint32_t port, bool outer,
			   const struct capture_interface *is)
{
	const struct real_port *r = real_by_id(&o->c->real, port);
	const struct port *p = r ? r->port : NULL;
	struct pcapng_interface i = { .name = is->name,
				      .description = p ? p->ops->type : NULL,
				      .filter = o->filter,
				      .link_type = is->link_type,
				      .snap_len = o->snap };

	if (p && !outer)
		i.mac = p->mac;
	pcapng_put_interface(&o->bytes, &i);
	o->interfaces = xrealloc(o->interfaces, (o->n_interfaces + 1) *
							sizeof(*o->interfaces));
	o->interfaces[o->n_interfaces++] = *is;
}

/* A port that comes again by its name is the same interface. */
static uint32_t add_interface(struct capture_out *o, uint32_t port, bool outer)
{
	const struct real_port *r = real_by_id(&o->c->real, port);
	bool ip = outer || (r && r->port && r->port->ops->layer3);
	char room[24];
	struct capture_interface is = {
		.name = xasprintf("%s%s", port_name(o, port, room),
				  outer ? " (outer)" : ""),
		.link_type = ip ? PCAPNG_LINK_IP : PCAPNG_LINK_ETHERNET,
	};

	for (uint32_t i = 0; i < o->n_interfaces; i++) {
		if (strcmp(o->interfaces[i].name, is.name) != 0 ||
		    o->interfaces[i].link_type != is.link_type)
			continue;
		free(is.name);
		return i;
	}
	tell_interface(o, port, outer, &is);
	return o->n_interfaces - 1;
}

static uint32_t interface_of(struct capture_out *o, uint32_t port, bool outer)
{
	uint32_t *i = &o->interface_of[port * N_KINDS + outer];

	if (!*i)
		*i = add_interface(o, port, outer) + 1;
	return *i - 1;
}

static uint64_t wall_of(const struct capture_out *o,
			const struct capture_record *r)
{
	return r->time_ns + (uint64_t)o->wall_ns;
}

static void write_pcapng(struct capture_out *o, const struct shown *s)
{
	static const enum pcapng_direction directions[] = {
		[CAPTURE_IN] = PCAPNG_IN,
		[CAPTURE_OUT] = PCAPNG_OUT,
		[CAPTURE_DROP] = PCAPNG_UNKNOWN,
	};
	struct pcapng_packet p = {
		.interface = interface_of(o, s->r->port, s->outer),
		.time_ns = wall_of(o, s->r),
		.bytes = s->bytes,
		.len = s->len,
		.wire_len = s->wire_len,
		.direction = directions[s->r->point],
		.n_lost = s->lost,
		.comment = *s->comment ? s->comment : NULL,
	};

	pcapng_put_packet(&o->bytes, &p);
}

static const char *point_name(uint32_t point)
{
	return point == CAPTURE_IN  ? "in" :
	       point == CAPTURE_OUT ? "out" :
				      "drop";
}

static void say_time(struct capture_out *o, const struct capture_record *r,
		     struct str *out)
{
	uint64_t ns = wall_of(o, r);
	time_t s = (time_t)(ns / NS);
	struct tm tm;

	localtime_r(&s, &tm);
	str_addf(out, "%02d:%02d:%02d.%06u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned)(ns % NS / 1000));
}

static void write_text(struct capture_out *o, const struct shown *s)
{
	char room[24];

	if (s->lost)
		str_addf(&o->bytes, "... %llu packets lost here\n",
			 (unsigned long long)s->lost);
	say_time(o, s->r, &o->bytes);
	str_addf(&o->bytes, " %-8s %-4s ", port_name(o, s->r->port, room),
		 point_name(s->r->point));
	packet_format(s->bytes, s->len, s->packet_type, &o->bytes);
	if (*s->comment)
		str_addf(&o->bytes, "  [%s]", s->comment);
	str_add_char(&o->bytes, '\n');
}

static void write_shown(struct capture_out *o, const struct shown *s)
{
	if (o->format == CAPTURE_PCAPNG)
		write_pcapng(o, s);
	else
		write_text(o, s);
}

/* --- as the wire has it --- */

/* `p` is whole, its bytes all there. */
static void write_packet(struct capture_out *o, struct shown *s,
			 const struct packet *p)
{
	uint32_t skip = s->outer ? OUTER_ETHERNET : 0;

	s->bytes = p->data + skip;
	s->wire_len = p->len - skip;
	s->len = MIN(MIN(p->len - skip, s->len), o->snap);
	write_shown(o, s);
}

static void write_segments(struct capture_out *o, struct shown *s,
			   const struct segment_plan *plan, struct packet *to)
{
	for (unsigned i = 0; i < plan->n; i++) {
		const uint8_t *payload;
		uint32_t len;

		segment_plan_at(plan, i, to->data, &payload, &len);
		memcpy(to->data + plan->header_len, payload, len);
		to->len = plan->header_len + len;
		s->len = UINT32_MAX;
		write_packet(o, s, to);
		s->lost = 0;
	}
}

static bool push_outer(const struct capture_out *o, struct packet *p,
		       const struct capture_record *r)
{
	static const struct eth_addr nobody[2];
	uint8_t headers[OUTER_MAX];
	struct packet_tunnel t = p->tun;
	uint32_t n;

	/* Routing will choose: shown as unspecified. */
	t.src.family = t.dst.family;
	if (!t.tp_dst)
		t.tp_dst = (uint16_t)o->c->view->underlay.port;
	if (!r->tun_src.family)
		memset(&t.src.a, 0, sizeof(t.src.a));
	n = outer_build(OUTER_VXLAN, nobody, &t, headers, sizeof(headers));
	return n && packet_push_outer(p, OUTER_VXLAN, headers, n) == DROP_NONE;
}

/* The packet of the record, with bytes that were not kept as zeros. */
static struct packet *rebuild(struct capture_out *o,
			      const struct capture_record *r)
{
	struct packet *p = packet_alloc(o->pool);

	must(p);
	capture_record_packet(r, p);
	memset(p->data + p->len, 0, r->len - p->len);
	p->len = r->len;
	return p;
}

static void write_on_wire(struct capture_out *o, struct shown *s)
{
	const struct capture_record *r = s->r;
	struct packet *p = rebuild(o, r), *to = packet_alloc(o->pool);
	struct segment_plan plan;
	uint32_t before = p->len;

	must(to);
	if (!packet_is_gso(p) && r->kept == r->len)
		packet_csum_finish(p);
	s->outer = o->outer && is_tunnel(o, r) && push_outer(o, p, r);
	if (s->outer)
		s->packet_type = PACKET_TYPE_IP4;
	if (s->outer && !ip_addr_is_ip4(&r->tun_dst))
		s->packet_type = PACKET_TYPE_IP6;
	s->len = r->kept + (p->len - before);
	if (r->kept == r->len && segment_plan_init(&plan, p))
		write_segments(o, s, &plan, to);
	else
		write_packet(o, s, p);
	packet_free(to);
	packet_free(p);
}

static void write_record(struct capture_out *o, const struct capture_record *r,
			 uint64_t lost)
{
	struct str comment = STR_INIT;
	struct shown s = { .r = r,
			   .packet_type = r->packet_type,
			   .bytes = capture_record_bytes(r),
			   .len = MIN(r->kept, o->snap),
			   .wire_len = r->len,
			   .lost = lost };

	say_all(o, r, &comment);
	s.comment = str_text(&comment);
	if (o->wire || (o->outer && is_tunnel(o, r)))
		write_on_wire(o, &s);
	else
		write_shown(o, &s);
	str_fini(&comment);
}

/* --- traces --- */

static void put_text(struct json_object *j, const char *key, const char *text)
{
	json_object_object_add(j, key, json_object_new_string(text));
}

static void add_facts(struct capture_out *o, const struct capture_record *r,
		      struct json_object *j)
{
	struct str s = STR_INIT;

	say_time(o, r, &s);
	put_text(j, "time", str_text(&s));
	str_clear(&s);
	packet_format(capture_record_bytes(r), r->kept, r->packet_type, &s);
	put_text(j, "line", str_text(&s));
	str_clear(&s);
	actions_text(o, capture_record_actions(r), &s);
	put_text(j, "done", str_text(&s));
	str_fini(&s);
	json_object_object_add(j, "skipped",
			       json_object_new_uint64(o->n_skipped));
}

/* True when this second has had its traces. */
static bool is_too_many(struct capture_out *o, const struct capture_record *r)
{
	uint64_t second = r->time_ns / NS;

	if (second != o->second) {
		o->second = second;
		o->n_in_second = 0;
	}
	return o->n_in_second++ >= CAPTURE_TRACES_PER_S;
}

static void write_trace(struct capture_out *o, const struct capture_record *r)
{
	const struct flow_key *key = capture_record_key(r);
	struct json_object *j;
	char room[24];

	if (!key)
		return;
	j = explain_key(o->c, key, port_name(o, r->port, room));
	add_facts(o, r, j);
	str_add(&o->bytes, json_object_to_json_string_ext(
				   j, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE));
	str_add_char(&o->bytes, '\n');
	json_object_put(j);
}

/* --- all of it --- */

void capture_out_port(struct capture_out *o, uint32_t port)
{
	const struct real_port *p = real_by_id(&o->c->real, port);

	if (o->format == CAPTURE_PCAPNG && port <= DP_MAX_PORTS)
		interface_of(o, port, o->outer && p && p->kind == REAL_TUNNEL);
}

void capture_out_begin(struct capture_out *o)
{
	if (o->format == CAPTURE_PCAPNG)
		pcapng_put_section(&o->bytes, "weft " WEFT_VERSION);
}

void capture_out_add(struct capture_out *o, const struct capture_record *r,
		     uint64_t lost)
{
	if (o->format == CAPTURE_TRACE && is_too_many(o, r)) {
		o->n_skipped++;
		return;
	}
	o->n_given++;
	if (o->format == CAPTURE_TRACE)
		write_trace(o, r);
	else
		write_record(o, r, lost - o->lost_told);
	o->lost_told = lost;
}

void capture_out_end(struct capture_out *o, uint64_t lost)
{
	uint64_t now = env_wall_ns(o->c->config.env);

	if (o->format != CAPTURE_PCAPNG || !o->n_interfaces)
		return;
	/* What is lost is known of the whole only. */
	pcapng_put_counts(&o->bytes,
			  &(struct pcapng_counts){ .time_ns = now,
						   .start_ns = o->started_ns,
						   .end_ns = now,
						   .n_seen = o->n_given + lost,
						   .n_lost = lost,
						   .n_given = o->n_given });
}
