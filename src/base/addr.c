/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/be.h"

struct ip6_addr ip6_addr_link_local(struct eth_addr mac)
{
	return (struct ip6_addr){ { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac.b[0] ^ 2,
				    mac.b[1], mac.b[2], 0xff, 0xfe, mac.b[3],
				    mac.b[4], mac.b[5] } };
}

struct ip6_addr ip6_addr_solicited_node(struct ip6_addr a)
{
	return (struct ip6_addr){ { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff,
				    a.b[13], a.b[14], a.b[15] } };
}

struct eth_addr ip6_addr_multicast_mac(struct ip6_addr group)
{
	return (struct eth_addr){ { 0x33, 0x33, group.b[12], group.b[13],
				    group.b[14], group.b[15] } };
}

struct ip_addr ip_addr_from_ip4(uint32_t ip4)
{
	struct ip_addr a = { .family = AF_INET };

	a.a.b[10] = a.a.b[11] = 0xff;
	put_be32(&a.a.b[12], ip4);
	return a;
}

struct ip_addr ip_addr_from_ip6(struct ip6_addr ip6)
{
	return (struct ip_addr){ .family = AF_INET6, .a = ip6 };
}

uint32_t ip_addr_ip4(const struct ip_addr *a)
{
	must(a->family == AF_INET);
	return get_be32(&a->a.b[12]);
}

bool ip_addr_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return a->family == b->family && ip6_addr_equal(a->a, b->a);
}

static unsigned prefix_offset_bits(const struct ip_addr *a)
{
	return a->family == AF_INET ? 96 : 0;
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned n)
{
	unsigned bytes = n / 8, rest = n % 8;

	if (memcmp(a, b, bytes))
		return false;
	return !rest || !((a[bytes] ^ b[bytes]) >> (8 - rest));
}

bool ip_prefix_contains(const struct ip_prefix *p, const struct ip_addr *a)
{
	if (p->addr.family != a->family)
		return false;
	return bits_equal(p->addr.a.b, a->a.b, prefix_offset_bits(a) + p->len);
}

bool ip_prefix_overlap(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len <= b->len ? ip_prefix_contains(a, &b->addr) :
				  ip_prefix_contains(b, &a->addr);
}

bool ip_prefix_equal(const struct ip_prefix *a, const struct ip_prefix *b)
{
	return a->len == b->len && ip_addr_equal(&a->addr, &b->addr);
}

struct ip_prefix ip_prefix_network(const struct ip_prefix *p)
{
	struct ip_prefix n = *p;
	unsigned keep = prefix_offset_bits(&p->addr) + p->len;

	for (unsigned i = 0; i < 16; i++) {
		if (i * 8 >= keep)
			n.addr.a.b[i] = 0;
		else if (i * 8 + 8 > keep)
			n.addr.a.b[i] &= (uint8_t)(0xff << (i * 8 + 8 - keep));
	}
	return n;
}

int eth_addr_parse(const char *s, struct eth_addr *out)
{
	struct eth_addr e;
	unsigned v;
	int n;

	for (int i = 0; i < 6; i++) {
		if (strspn(s, "0123456789abcdefABCDEF") == 0 ||
		    sscanf(s, "%2x%n", &v, &n) != 1)
			return -EINVAL;
		e.b[i] = (uint8_t)v;
		s += n;
		if (i < 5 && *s++ != ':')
			return -EINVAL;
	}
	if (*s)
		return -EINVAL;
	*out = e;
	return 0;
}

int ip_addr_parse(const char *s, struct ip_addr *out)
{
	struct ip6_addr a6;
	uint8_t a4[4];

	if (inet_pton(AF_INET, s, a4) == 1) {
		*out = ip_addr_from_ip4(get_be32(a4));
		return 0;
	}
	if (inet_pton(AF_INET6, s, &a6) == 1) {
		*out = ip_addr_from_ip6(a6);
		return 0;
	}
	return -EINVAL;
}

int ip_prefix_parse(const char *s, struct ip_prefix *out)
{
	const char *slash = strchr(s, '/');
	char text[IP_STR_LEN];
	struct ip_prefix p;
	unsigned len;
	int n = 0;

	if (!slash || (size_t)(slash - s) >= sizeof(text))
		return -EINVAL;
	memcpy(text, s, (size_t)(slash - s));
	text[slash - s] = '\0';
	if (ip_addr_parse(text, &p.addr))
		return -EINVAL;
	if (strspn(slash + 1, "0123456789") != strlen(slash + 1) ||
	    sscanf(slash + 1, "%3u%n", &len, &n) != 1 || slash[1 + n])
		return -EINVAL;
	if (len > (p.addr.family == AF_INET ? 32u : 128u))
		return -EINVAL;
	p.len = (uint8_t)len;
	*out = p;
	return 0;
}

char *eth_addr_format(struct eth_addr e, char buf[ETH_STR_LEN])
{
	snprintf(buf, ETH_STR_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", e.b[0],
		 e.b[1], e.b[2], e.b[3], e.b[4], e.b[5]);
	return buf;
}

char *ip4_format(uint32_t ip4, char buf[IP_STR_LEN])
{
	snprintf(buf, IP_STR_LEN, "%u.%u.%u.%u", ip4 >> 24, ip4 >> 16 & 0xff,
		 ip4 >> 8 & 0xff, ip4 & 0xff);
	return buf;
}

char *ip6_addr_format(struct ip6_addr a, char buf[IP_STR_LEN])
{
	must(inet_ntop(AF_INET6, a.b, buf, IP_STR_LEN));
	return buf;
}

char *ip_addr_format(const struct ip_addr *a, char buf[IP_STR_LEN])
{
	if (a->family == AF_INET)
		return ip4_format(ip_addr_ip4(a), buf);
	return ip6_addr_format(a->a, buf);
}

char *ip_prefix_format(const struct ip_prefix *p, char buf[PREFIX_STR_LEN])
{
	char text[IP_STR_LEN];

	snprintf(buf, PREFIX_STR_LEN, "%s/%u", ip_addr_format(&p->addr, text),
		 p->len);
	return buf;
}
