/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay/peers.h"

#include "base/hash.h"
#include "base/hmap.h"

struct peer {
	struct hmap_node by_addr, by_port;
	struct ip_addr remote;
	uint32_t port;
};

struct vni {
	struct hmap_node node;
	uint32_t vni, domain;
	uint32_t *ports;
	unsigned n_ports;
};

struct peers {
	struct hmap by_addr, by_port, vnis;
	struct peer *peers;
	struct vni *vni_rows;
	unsigned n_vnis;
};

static uint64_t addr_hash(const struct ip_addr *a)
{
	return hash_bytes(a->a.b, sizeof(a->a.b), a->family);
}

static const struct peer *find_addr(const struct peers *p,
				    const struct ip_addr *remote)
{
	const struct peer *x;

	hmap_for_each_same(x, &p->by_addr, addr_hash(remote), by_addr)
		if (ip_addr_equal(&x->remote, remote))
			return x;
	return NULL;
}

static const struct peer *find_port(const struct peers *p, uint32_t port)
{
	const struct peer *x;

	hmap_for_each_same(x, &p->by_port, hash_u64(port, 0), by_port)
		if (x->port == port)
			return x;
	return NULL;
}

static const struct vni *find_vni(const struct peers *p, uint32_t vni)
{
	const struct vni *x;

	hmap_for_each_same(x, &p->vnis, hash_u64(vni, 0), node)
		if (x->vni == vni)
			return x;
	return NULL;
}

/* --- building ------------------------------------------------------------ */

static int add_peer(struct peers *p, struct peer *x, const struct peer_spec *s,
		    struct err *e)
{
	char text[IP_STR_LEN];

	ip_addr_format(&s->remote, text);
	if (!s->remote.family || !s->port)
		return err_set(e, "a peer needs an address and a port number");
	if (find_addr(p, &s->remote))
		return err_set(e, "peer %s is named twice; name it once", text);
	if (find_port(p, s->port))
		return err_set(e, "port number %u is given to two peers",
			       s->port);
	x->remote = s->remote;
	x->port = s->port;
	hmap_put(&p->by_addr, &x->by_addr, addr_hash(&x->remote));
	hmap_put(&p->by_port, &x->by_port, hash_u64(x->port, 0));
	return 0;
}

static int compare_ports(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int check_ports(const struct peers *p, const struct vni *x,
		       struct err *e)
{
	for (unsigned i = 0; i < x->n_ports; i++) {
		if (!find_port(p, x->ports[i]))
			return err_set(e,
				       "VNI %u names port number %u, which is "
				       "no peer's",
				       x->vni, x->ports[i]);
		if (i && x->ports[i] == x->ports[i - 1])
			return err_set(e, "VNI %u names port number %u twice",
				       x->vni, x->ports[i]);
	}
	return 0;
}

static int add_vni(struct peers *p, const struct vni_spec *s, struct err *e)
{
	struct vni *x = &p->vni_rows[p->n_vnis];

	if (!s->vni || s->vni > VNI_MAX)
		return err_set(e,
			       "VNI %u is out of range: 1 to %u (RFC 7348 5)",
			       s->vni, VNI_MAX);
	if (find_vni(p, s->vni))
		return err_set(e, "VNI %u is used by two networks", s->vni);
	p->n_vnis++;
	x->vni = s->vni;
	x->domain = s->domain;
	x->n_ports = s->n_ports;
	x->ports = xcalloc(s->n_ports + 1, sizeof(*x->ports));
	if (s->n_ports)
		memcpy(x->ports, s->ports, s->n_ports * sizeof(*x->ports));
	qsort(x->ports, x->n_ports, sizeof(*x->ports), compare_ports);
	hmap_put(&p->vnis, &x->node, hash_u64(x->vni, 0));
	return check_ports(p, x, e);
}

struct peers *peers_build(const struct peer_spec *peers, unsigned n_peers,
			  const struct vni_spec *vnis, unsigned n_vnis,
			  struct err *e)
{
	struct peers *p = xzalloc(sizeof(*p));
	int err = 0;

	hmap_init(&p->by_addr);
	hmap_init(&p->by_port);
	hmap_init(&p->vnis);
	if (n_peers > PEERS_MAX || n_vnis > PEERS_VNIS_MAX)
		err = err_set(e, "%u peers and %u VNIs: at most %u and %u",
			      n_peers, n_vnis, PEERS_MAX, PEERS_VNIS_MAX);
	if (!err) {
		p->peers = xcalloc(n_peers + 1, sizeof(*p->peers));
		p->vni_rows = xcalloc(n_vnis + 1, sizeof(*p->vni_rows));
	}
	for (unsigned i = 0; i < n_peers && !err; i++)
		err = add_peer(p, &p->peers[i], &peers[i], e);
	for (unsigned i = 0; i < n_vnis && !err; i++)
		err = add_vni(p, &vnis[i], e);
	if (!err)
		return p;
	peers_destroy(p);
	return NULL;
}

void peers_destroy(struct peers *p)
{
	if (!p)
		return;
	for (unsigned i = 0; i < p->n_vnis; i++)
		free(p->vni_rows[i].ports);
	free(p->vni_rows);
	free(p->peers);
	hmap_fini(&p->by_addr);
	hmap_fini(&p->by_port);
	hmap_fini(&p->vnis);
	free(p);
}

/* --- finding ------------------------------------------------------------- */

uint32_t peers_find(const struct peers *p, const struct ip_addr *remote)
{
	const struct peer *x = find_addr(p, remote);

	return x ? x->port : 0;
}

uint32_t peers_domain(const struct peers *p, uint32_t vni)
{
	const struct vni *x = find_vni(p, vni);

	return x ? x->domain : PEERS_NONE;
}

const uint32_t *peers_of_vni(const struct peers *p, uint32_t vni, unsigned *n)
{
	const struct vni *x = find_vni(p, vni);

	*n = x ? x->n_ports : 0;
	return x ? x->ports : NULL;
}

/* --- strangers ----------------------------------------------------------- */

void strangers_note(struct strangers *s)
{
	__atomic_add_fetch(&s->n, 1, __ATOMIC_RELAXED);
}

uint64_t strangers_due(struct strangers *s, uint64_t now_ms)
{
	uint64_t n = __atomic_load_n(&s->n, __ATOMIC_RELAXED);
	uint64_t fresh = n - s->reported;

	if (!fresh || now_ms < s->next_ms)
		return 0;
	s->reported = n;
	s->next_ms = now_ms + STRANGERS_REPORT_MS;
	return fresh;
}
