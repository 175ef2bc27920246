/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the host's firewall tables drop what is forwarded?
 *
 * What      the base chains at the forward hook whose policy is drop: those of
 *           nf_tables (iptables-nft's too) and of the older iptables.
 * Why so    a policy nobody sees is the commonest reason why frames that pass a
 *           Linux bridge or the host's routing go nowhere.
 * Threads   any; the calling thread's namespace.
 * Refs      linux/netfilter/nf_tables.h, linux/netfilter_ipv4/ip_tables.h. */
#ifndef SYS_NF_CHAIN_H
#define SYS_NF_CHAIN_H

#include "base/defs.h"

#define NF_NAME_MAX 32u
#define NF_CHAINS_MAX 16u

struct nf_chain {
	const char *family; /* "ip", "ip6", "inet", "bridge", ... */
	char table[NF_NAME_MAX], chain[NF_NAME_MAX];
	bool legacy; /* of iptables, not of nf_tables */
};

/* Those with policy drop, at most `max`. How many, or -errno when the kernel
 * does not tell (-EPERM; 0 without nf_tables). */
int nf_chain_forward_drops(struct nf_chain *out, unsigned max) MUST_CHECK;
/* Does a rule of the chain's table name the device? Somebody thought of it. */
bool nf_chain_names(const struct nf_chain *c, const char *device);

#endif
