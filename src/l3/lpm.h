/* SPDX-License-Identifier: Apache-2.0 */
/* Longest prefix match, IPv4 and IPv6.
 *
 * What      a set of prefixes with a number each -> the number of the longest
 *           one that contains an address, and how many leading bits of the
 *           address decided that.
 * Why so    built once, frozen, published with the snapshot. A path-compressed
 *           binary trie in one array: at most one node a prefix and one a fork,
 *           and the bits it looked at are as few as can be, so one cached
 *           verdict covers the widest possible range of destinations.
 * Invariant L1 every address equal to the asked one in its first `bits` bits
 *           has the same answer. L2 bits >= the length of the prefix found.
 * Threads   build: any. find: any thread, read-only.
 * Refs      RFC 1812 5.2.4.3 (longest match), RFC 4632. */
#ifndef L3_LPM_H
#define L3_LPM_H

#include "base/addr.h"

#define LPM_MAX_ENTRIES (1u << 24)

struct lpm_entry {
	struct ip_prefix prefix; /* host bits are ignored */
	uint32_t value;
};

struct lpm_found {
	bool found;
	uint8_t prefix_len; /* of the match, in bits of its family */
	uint8_t bits;       /* leading bits that decided; 0-32 or 0-128 */
	uint32_t value;
};

struct lpm;

/* Of two entries with the same prefix the later one counts. Aborts when there
 * are more than LPM_MAX_ENTRIES (refuse that before). */
struct lpm *lpm_build(const struct lpm_entry *entries, size_t n);
void lpm_destroy(struct lpm *l);
struct lpm_found lpm_find4(const struct lpm *l, uint32_t addr);
struct lpm_found lpm_find6(const struct lpm *l, struct ip6_addr addr);
struct lpm_found lpm_find(const struct lpm *l, const struct ip_addr *addr);
size_t lpm_bytes(const struct lpm *l);

#endif
