/* SPDX-License-Identifier: Apache-2.0 */
/* A packet in words, or as bytes. */
#include <errno.h>
#include <stdio.h>

#include "control/explain.h"
#include "flow/compose.h"
#include "flow/extract.h"
#include "flow/match.h"
#include "packet/headers.h"
#include "packet/pcapng.h"

#define TTL 64u
#define LINK_RAW 12 /* what libpcap calls IP without a frame on Linux */

/* --- in words --- */

/* A port without frames: what comes in there is bare IP. */
static int name_layer3(struct question *q, struct err *e)
{
	struct flow_key *k = &q->key;

	if (k->eth_type != ETH_TYPE_IP4 && k->eth_type != ETH_TYPE_IP6)
		return err_set(e, "port %s carries IP, and the packet is none",
			       q->from.name);
	k->packet_type =
		k->eth_type == ETH_TYPE_IP4 ? PACKET_TYPE_IP4 : PACKET_TYPE_IP6;
	k->eth_dst = k->eth_src = (struct eth_addr){ { 0 } };
	memset(k->vlan, 0, sizeof(k->vlan));
	return 0;
}

/* The port it comes in at, by name. */
static int name_source(struct question *q, const char *name, struct err *e)
{
	struct real_port *p = real_find(&q->c->real, name);
	uint32_t i = model_view_port(q->c->view, name);

	if (!p)
		return err_set(e,
			       "name the port that the packet comes in at; "
			       "\"%s\" is none (weft show ports lists them)",
			       name);
	snprintf(q->from.name, sizeof(q->from.name), "%s", name);
	q->key.in_port = p->id;
	q->in = snapshot_port(q->s, p->id);
	q->domain = q->in ? explain_port_domain(q, q->in) : NULL;
	q->from.port = explain_find_port(q->c->model, name, NULL);
	if (p->port->ops->layer3)
		return name_layer3(q, e);
	if (eth_addr_is_zero(q->key.eth_src) && i != VIEW_NONE)
		q->key.eth_src = q->c->view->ports[i].mac;
	return 0;
}

static bool is_ip(const struct flow_key *k)
{
	return k->eth_type == ETH_TYPE_IP4 || k->eth_type == ETH_TYPE_IP6;
}

static struct ip_addr key_dst(const struct flow_key *k)
{
	return k->eth_type == ETH_TYPE_IP4 ? ip_addr_from_ip4(k->ip4_dst) :
					     ip_addr_from_ip6(k->ip6_dst);
}

static bool has_dst(const struct flow_key *k)
{
	return k->ip4_dst || !ip6_addr_is_zero(k->ip6_dst);
}

/* The frame's destination for a group; false: it is for one station. */
static bool group_mac(struct flow_key *k)
{
	uint32_t ip = k->ip4_dst;

	if (k->eth_type == ETH_TYPE_IP6 && ip6_addr_is_multicast(k->ip6_dst))
		k->eth_dst = ip6_addr_multicast_mac(k->ip6_dst);
	else if (ip == UINT32_MAX)
		k->eth_dst = eth_addr_from_u64(0xffffffffffffull);
	else if (ip >> 28 == 0xe)
		k->eth_dst =
			eth_addr_from_u64(0x01005e000000ull | (ip & 0x7fffff));
	else
		return false;
	return true;
}

static void complete_source(struct question *q)
{
	struct flow_key *k = &q->key;

	for (unsigned i = 0; q->from.port && i < q->from.port->addresses.n; i++)
		endpoint_take_address(&q->from,
				      &q->from.port->addresses.items[i].addr);
	if (k->eth_type == ETH_TYPE_IP4 && !k->ip4_src && q->from.ip4.family)
		k->ip4_src = ip_addr_ip4(&q->from.ip4);
	if (k->eth_type == ETH_TYPE_IP6 && ip6_addr_is_zero(k->ip6_src) &&
	    q->from.ip6.family)
		k->ip6_src = q->from.ip6.a;
}

/* A tag is 802.1Q's unless it says otherwise; a frame without a type has a
 * length. */
static void complete_frame(struct flow_key *k)
{
	for (unsigned i = 0; i < KEY_N_VLANS; i++)
		if (k->vlan[i].tci && !k->vlan[i].tpid)
			k->vlan[i] = (struct key_vlan){
				ETH_TYPE_VLAN, k->vlan[i].tci | KEY_VLAN_PRESENT
			};
	if (!k->eth_type)
		k->eth_type = ETH_TYPE_NONE;
}

/* What was left out is what the port's station would send. */
static void complete_key(struct question *q)
{
	struct flow_key *k = &q->key;
	struct err e = ERR_INIT;

	if (k->packet_type == PACKET_TYPE_ETHERNET)
		complete_frame(k);

	if (!is_ip(k))
		return;
	complete_source(q);
	if (!k->ip_ttl)
		k->ip_ttl = TTL;
	if (!q->in || q->in->kind == SNAP_PORT_ROUTED || !has_dst(k) ||
	    !eth_addr_is_zero(k->eth_dst) || k->vlan[0].tci || group_mac(k))
		return;
	q->dst = key_dst(k);
	ip_addr_format(&q->dst, q->to.name);
	q->to.port = explain_find_port(q->c->model, NULL, &q->dst);
	/* No way to it: it is asked about as it is. */
	if (explain_next(q, &e))
		err_fini(&e);
}

/* "in_port=vm1,tcp,..." with a port's name, taken out of the text. */
static char *take_in_port(const char *text, char **name)
{
	const char *at = strstr(text, "in_port="), *value, *end;
	struct str rest = STR_INIT;

	if (!at || (at != text && at[-1] != ','))
		return xstrdup(text);
	value = at + strlen("in_port=");
	end = value + strcspn(value, ",");
	*name = xstrndup(value, (size_t)(end - value));
	str_add_n(&rest, text, (size_t)(at - text));
	str_add(&rest, *end ? end + 1 : end);
	return str_take(&rest);
}

static const char *name_of_number(struct question *q, const char *text)
{
	char *end;
	unsigned long id = strtoul(text, &end, 10);
	struct real_port *p =
		*text && !*end ? real_by_id(&q->c->real, (uint32_t)id) : NULL;

	return p ? p->name : text;
}

int explain_words(struct question *q, const char *text, const char *from,
		  struct err *e)
{
	char *name = NULL, *rest = take_in_port(text, &name);
	int rc = key_parse(rest, &q->key, e);

	if (!from)
		from = name ? name_of_number(q, name) : "";
	if (!rc)
		rc = name_source(q, from, e);
	if (!rc)
		complete_key(q);
	free(name);
	free(rest);
	return rc;
}

/* --- as bytes --- */

static int digit(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	return ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
}

static int read_bytes(const char *hex, struct packet *p, struct err *e)
{
	size_t len = strlen(hex);

	if (!len || len % 2 || len / 2 > PACKET_MAX_LEN)
		return err_set(e,
			       "bytes: 1 to %u of them are wanted, two "
			       "hexadecimal digits each",
			       PACKET_MAX_LEN);
	for (size_t i = 0; i < len; i++) {
		int d = digit(hex[i]);

		if (d < 0)
			return err_set(e,
				       "bytes: \"%c\" is no hexadecimal "
				       "digit",
				       hex[i]);
		p->data[i / 2] = (uint8_t)(p->data[i / 2] << 4 | d);
	}
	p->len = (uint32_t)(len / 2);
	return 0;
}

/* Frames at ports with an Ethernet header, IP packets at those without. */
static int read_type(const struct real_port *in, int64_t link, struct packet *p,
		     struct err *e)
{
	bool ip = link == PCAPNG_LINK_IP || link == LINK_RAW;

	if (!ip && link != PCAPNG_LINK_ETHERNET)
		return err_set(e,
			       "packets of link type %lld are neither Ethernet "
			       "nor IP",
			       (long long)link);
	if (ip != in->port->ops->layer3)
		return err_set(e, "port %s carries %s, and the packet is %s",
			       in->name, ip ? "Ethernet frames" : "IP",
			       ip ? "IP without a frame" : "an Ethernet frame");
	if (ip)
		p->packet_type = p->data[0] >> 4 == 6 ? PACKET_TYPE_IP6 :
							PACKET_TYPE_IP4;
	return 0;
}

/* The packet, from hexadecimal digits. */
static int read_packet(struct question *q, const char *hex, struct err *e)
{
	struct packet *p = packet_alloc(q->pool);
	int rc;

	must(q->in);
	if (!p)
		return err_set(e, "no memory is left for a packet");
	q->packet = p;
	rc = read_bytes(hex, p, e);
	p->in_port = q->in->id;
	return rc;
}

static int read_key(struct question *q, struct err *e)
{
	if (flow_extract(q->packet, &q->key) != DROP_NONE)
		return err_set(e, "the packet ends amid its first header");
	return 0;
}

static int find_in(struct question *q, const struct real_port *in,
		   struct err *e)
{
	q->in = in ? snapshot_port(q->s, in->id) : NULL;
	return q->in ? 0 : err_set(e, "the port it comes in at is not there");
}

int explain_bytes(struct question *q, const char *hex, int64_t link,
		  const char *from, struct err *e)
{
	struct real_port *in = from ? real_find(&q->c->real, from) : NULL;

	if (!in)
		return err_set(e,
			       "name the port that the packet comes in at; "
			       "\"%s\" is none (weft show ports lists them)",
			       from ? from : "");
	snprintf(q->from.name, sizeof(q->from.name), "%s", from);
	if (find_in(q, in, e) || read_packet(q, hex, e) ||
	    read_type(in, link, q->packet, e))
		return -EINVAL;
	return read_key(q, e);
}

int explain_arrived(struct question *q, const char *hex,
		    const struct explain_arrival *a, struct err *e)
{
	snprintf(q->from.name, sizeof(q->from.name), "%s", a->name);
	if (find_in(q, real_find(&q->c->real, "tunnel"), e) ||
	    read_packet(q, hex, e))
		return -EINVAL;
	q->packet->flags |= PACKET_TUNNEL;
	q->packet->tun = (struct packet_tunnel){
		.id = a->vni,
		.src = *a->peer,
		.dst = q->c->view->underlay.address,
	};
	return read_key(q, e);
}
