/* SPDX-License-Identifier: Apache-2.0 */
#include "l3/ra.h"

#include "l3/wire.h"

#define OPT_SOURCE 1u
#define OPT_PREFIX 3u
#define OPT_MTU 5u
#define RA_LEN 16u
#define RA_CUR_HOP_LIMIT 64u /* what stations are to use */
#define PREFIX_ON_LINK 0x80u
#define PREFIX_AUTONOMOUS 0x40u
#define RA_MANAGED 0x80u
#define RA_OTHER 0x40u

/* --- when ---------------------------------------------------------------- */

static uint64_t between(struct env *env, uint64_t lo, uint64_t hi)
{
	return hi > lo ? lo + env_random(env) % (hi - lo) : lo;
}

/* 6.2.4: the first ones come sooner. */
static uint64_t interval(struct ra *r)
{
	const struct ra_config *c = &r->config;
	uint64_t max = c->max_ms ? c->max_ms : RA_INTERVAL_MAX_MS;
	uint64_t min = c->min_ms ? c->min_ms : RA_INTERVAL_MIN_MS;
	uint64_t ms = between(r->env, MIN(min, max), max);

	if (r->n_sent < RA_INITIAL_COUNT)
		ms = MIN(ms, RA_INITIAL_MAX_MS);
	return MAX(ms, RA_MIN_GAP_MS);
}

/* One is wanted after a short random delay, keeping the gap (6.2.6). */
static void hurry(struct ra *r, uint64_t now_ms)
{
	uint64_t at = now_ms + between(r->env, 0, RA_DELAY_MAX_MS);

	if (r->last_ms)
		at = MAX(at, r->last_ms + RA_MIN_GAP_MS);
	r->next_ms = MIN(r->next_ms, at);
}

void ra_start(struct ra *r, const struct ra_config *c, struct env *env,
	      uint64_t now_ms)
{
	must(c->n_prefixes <= RA_MAX_PREFIXES);
	*r = (struct ra){
		.config = *c, .env = env, .running = true, .next_ms = UINT64_MAX
	};
	hurry(r, now_ms);
}

static bool prefix_equal(const struct ra_prefix *a, const struct ra_prefix *b)
{
	return ip6_addr_equal(a->prefix, b->prefix) && a->len == b->len &&
	       a->autonomous == b->autonomous;
}

static bool config_equal(const struct ra_config *a, const struct ra_config *b)
{
	if (!eth_addr_equal(a->mac, b->mac) ||
	    !ip6_addr_equal(a->from, b->from) || a->mtu != b->mtu ||
	    a->lifetime_s != b->lifetime_s || a->managed != b->managed ||
	    a->other != b->other || a->max_ms != b->max_ms ||
	    a->min_ms != b->min_ms || a->n_prefixes != b->n_prefixes)
		return false;
	for (unsigned i = 0; i < a->n_prefixes; i++)
		if (!prefix_equal(&a->prefixes[i], &b->prefixes[i]))
			return false;
	return true;
}

void ra_change(struct ra *r, const struct ra_config *c, uint64_t now_ms)
{
	must(c->n_prefixes <= RA_MAX_PREFIXES);
	if (config_equal(&r->config, c))
		return;
	r->config = *c;
	r->n_sent = 0;
	hurry(r, now_ms);
}

void ra_stop(struct ra *r)
{
	r->goodbye = r->running && r->last_ms;
	r->running = r->due = false;
}

void ra_solicited(struct ra *r, uint64_t now_ms)
{
	if (r->running)
		hurry(r, now_ms);
}

void ra_tick(struct ra *r, uint64_t now_ms)
{
	if (!r->running || now_ms < r->next_ms)
		return;
	r->due = true;
}

uint64_t ra_next_deadline(const struct ra *r)
{
	return r->running ? r->next_ms : UINT64_MAX;
}

/* --- what ---------------------------------------------------------------- */

static uint8_t *put_header(uint8_t *p, const struct ra_config *c,
			   uint16_t lifetime_s)
{
	p[0] = ND_RA;
	p[4] = RA_CUR_HOP_LIMIT;
	p[5] = (uint8_t)((c->managed ? RA_MANAGED : 0) |
			 (c->other ? RA_OTHER : 0));
	put_be16(p + 6, lifetime_s);
	return p + RA_LEN;
}

static uint8_t *put_source(uint8_t *p, struct eth_addr mac)
{
	p[0] = OPT_SOURCE;
	p[1] = 1;
	memcpy(p + 2, mac.b, 6);
	return p + 8;
}

static uint8_t *put_mtu(uint8_t *p, uint32_t mtu)
{
	p[0] = OPT_MTU;
	p[1] = 1;
	put_be32(p + 4, mtu);
	return p + 8;
}

static uint8_t *put_prefix(uint8_t *p, const struct ra_prefix *x)
{
	struct ip_prefix net = { ip_addr_from_ip6(x->prefix), x->len };

	net = ip_prefix_network(&net);
	p[0] = OPT_PREFIX;
	p[1] = 4;
	p[2] = x->len;
	/* Stations build addresses of 64 bits below it (RFC 4862 5.5.3 d). */
	p[3] = PREFIX_ON_LINK |
	       (x->autonomous && x->len == 64 ? PREFIX_AUTONOMOUS : 0);
	put_be32(p + 4, RA_VALID_S);
	put_be32(p + 8, RA_PREFERRED_S);
	memcpy(p + 16, net.addr.a.b, 16);
	return p + 32;
}

static void build(const struct ra_config *c, uint16_t lifetime_s,
		  struct ra_frame *out)
{
	static const struct ip6_addr all_nodes = { { 0xff, 0x02, [15] = 1 } };
	uint32_t len = RA_LEN + 8 + (c->mtu ? 8 : 0) + 32 * c->n_prefixes;
	uint8_t *icmp, *p;

	memset(out, 0, sizeof(*out));
	p = wire_eth(out->bytes, ip6_addr_multicast_mac(all_nodes), c->mac,
		     ETH_TYPE_IP6);
	icmp = wire_ip6(p, c->from, all_nodes, ND_HOP_LIMIT, len);
	p = put_source(put_header(icmp, c, lifetime_s), c->mac);
	if (c->mtu)
		p = put_mtu(p, c->mtu);
	for (unsigned i = 0; i < c->n_prefixes; i++)
		p = put_prefix(p, &c->prefixes[i]);
	wire_icmp6_csum(icmp, len, c->from, all_nodes);
	out->len = (uint32_t)(p - out->bytes);
}

bool ra_take(struct ra *r, uint64_t now_ms, struct ra_frame *out)
{
	if (!r->due && !r->goodbye)
		return false;
	build(&r->config, r->goodbye ? 0 : r->config.lifetime_s, out);
	r->due = r->goodbye = false;
	r->n_sent++;
	r->last_ms = now_ms;
	r->next_ms = now_ms + interval(r);
	return true;
}
