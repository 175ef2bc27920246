/* SPDX-License-Identifier: Apache-2.0 */
/* MAC table: which port was a station last seen behind?
 *
 * What      (VLAN id, Ethernet address) -> port, with an age; one per bridge;
 *           bounded; dynamic entries are learned and age out, static ones stay.
 * Why so    entries live in a pool that never moves, chained from buckets sized
 *           for the limit: a reader needs one probe and no lock, an insertion no
 *           allocation. Each chain ends in a mark that names its bucket, so a
 *           reader led astray by an entry that was reused notices and starts
 *           again. Fair shares (base/fair.h) pick who gives way when it is full.
 * Invariant M1 a dynamic entry is in exactly one port's share. M2 dynamic and
 *           static entries together never exceed the limit. M3 whatever changes
 *           the answer of find bumps the key's stamp afterwards.
 * Threads   find and the quick part of learn: any thread inside RCU, no lock.
 *           What writes takes the table's mutex: workers learn inline when they
 *           apply effects, the control thread ticks and flushes.
 * Owns      its entries. Ports are numbers, never pointers.
 * Refs      IEEE 802.1Q-2018 8.7 (learning), 8.8 (filtering database). */
#ifndef L2_MAC_TABLE_H
#define L2_MAC_TABLE_H

#include "base/addr.h"
#include "base/stamp.h"

#define MAC_LIMIT_DEFAULT 8192u
#define MAC_LIMIT_MAX (1u << 22)
#define MAC_AGE_DEFAULT_MS 300000u
/* A station that moves more often than this within a second is held where it
 * is for MAC_HOLD_MS: its frames no longer tear flows and caches about. */
#define MAC_MOVES_MAX 5u
#define MAC_HOLD_MS 2000u

struct mac_config {
	uint32_t id;    /* of the bridge: keeps stamps of bridges apart */
	uint32_t limit; /* entries; 0: the default */
	uint32_t
		port_limit; /* dynamic entries a port; 0: no limit of its own */
	uint32_t age_ms;    /* 0: the default */
	uint64_t seed;      /* random: peers cannot aim collisions */
};

struct mac_found {
	bool found;
	bool is_static;
	uint32_t port;
};

enum mac_learn {
	MAC_SAME, /* was there already; age refreshed */
	MAC_NEW,
	MAC_MOVED,   /* from another port */
	MAC_HELD,    /* moves too often; stays at its port for now */
	MAC_FULL,    /* its port has as many as its limit allows */
	MAC_FIXED,   /* a static entry has it at another port */
	MAC_REFUSED, /* a group or zero address, or port 0 */
};

struct mac_table;

/* NULL when the kernel refuses the address space. */
struct mac_table *mac_table_create(const struct mac_config *c,
				   struct stamps *stamps);
/* No reader may be left (a grace period has passed). NULL is fine. */
void mac_table_destroy(struct mac_table *t);
/* Control thread: takes over limit, port_limit and age_ms; evicts what is over
 * the new limit. 0, or -ENOMEM with nothing changed. */
int mac_table_configure(struct mac_table *t,
			const struct mac_config *c) MUST_CHECK;
/* Control thread: a port's own limit; 0: the table's port_limit. */
void mac_table_set_port_limit(struct mac_table *t, uint32_t port,
			      uint32_t limit);

/* Where is the station? *dep is what the answer depends on, found or not. */
struct mac_found mac_table_find(const struct mac_table *t, uint16_t vid,
				struct eth_addr mac, struct dep *dep);
/* A frame of this station came in by `port`. */
enum mac_learn mac_table_learn(struct mac_table *t, uint16_t vid,
			       struct eth_addr mac, uint32_t port,
			       uint64_t now_ms);

/* A static entry: never aged, moved or evicted. Replaces a dynamic one. 0;
 * -EINVAL for a group address; -ENOSPC when static entries fill the table. */
int mac_table_put_static(struct mac_table *t, uint16_t vid, struct eth_addr mac,
			 uint32_t port) MUST_CHECK;
/* Removes an entry of either kind; false when there was none. */
bool mac_table_del(struct mac_table *t, uint16_t vid, struct eth_addr mac);

#define MAC_ANY_PORT 0u
#define MAC_ANY_VID 0xffffu
/* Removes the dynamic entries of a port, of a VLAN, of both or all. Returns how
 * many. */
unsigned mac_table_flush(struct mac_table *t, uint32_t port, uint16_t vid);
/* Removes everything of a port that is no more, static entries too. */
unsigned mac_table_forget_port(struct mac_table *t, uint32_t port);

/* Control thread: ages; looks at most at MAC_TICK_SCAN entries a call. */
#define MAC_TICK_SCAN 65536u
void mac_table_tick(struct mac_table *t, uint64_t now_ms);
/* When tick wants to be called next; UINT64_MAX never. An entry learned since
 * the last tick cannot be due before that plus the age. */
uint64_t mac_table_next_deadline(const struct mac_table *t);

/* Stations that were held because they jump between ports: a loop, or two that
 * use one address. Oldest first; false when there is none. */
struct mac_flap {
	uint16_t vid;
	struct eth_addr mac;
	uint32_t port_a, port_b;
};
#define MAC_FLAPS_MAX 16u
bool mac_table_take_flap(struct mac_table *t, struct mac_flap *out);

struct mac_row {
	uint16_t vid;
	struct eth_addr mac;
	uint32_t port;
	bool is_static;
	uint64_t age_ms; /* since last seen; whole seconds */
};
/* Up to `max` rows from *cursor on (start with 0); 0 when at the end. Takes the
 * lock for that long only, so a long listing holds nobody up. */
unsigned mac_table_list(struct mac_table *t, uint32_t *cursor,
			struct mac_row *rows, unsigned max, uint64_t now_ms);

struct mac_stats {
	uint32_t n, n_static, limit;
	uint64_t learned, moved, held, evicted, expired, refused;
};
void mac_table_stats(struct mac_table *t, struct mac_stats *out);
/* Dynamic entries of a port. */
uint32_t mac_table_port_count(struct mac_table *t, uint32_t port);

#endif
