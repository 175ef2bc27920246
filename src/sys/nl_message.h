/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of the netlink files: messages, not meant for other rooms.
 *
 * What      building a request, sending it, walking an answer; the parsers that
 *           lists and the monitor share.
 * Threads   as nl.h. */
#ifndef SYS_NL_MESSAGE_H
#define SYS_NL_MESSAGE_H

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "base/addr.h"
#include "sys/fail.h"
#include "sys/nl_addr.h"
#include "sys/nl_link.h"
#include "sys/nl_route.h"

#define NL_REQ_MAX 16384u
#define NL_RECV_MAX 32768u

/* A request under construction. Fixed-size attributes always fit; what comes
 * from outside (raw) is checked against NL_REQ_MAX. */
struct nl_req {
	struct nlmsghdr *h;
	char buf[NL_REQ_MAX] __attribute__((aligned(8)));
};

/* Starts a request; returns its zeroed family header of `size` bytes. */
void *nl_req_init(struct nl_req *r, uint16_t type, uint16_t flags, size_t size);
void nl_req_put_ip(struct nl_req *r, uint16_t type, const struct ip_addr *ip);

/* Sends and awaits the acknowledgement, or queues it in a batch. The format
 * says what is being done: "add link v1". */
int nl_do(struct nl *nl, struct nl_req *r, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(4, 5) MUST_CHECK;

/* In a batch: keeps what is still to be set on the device that the request just
 * queued makes, until nl_batch_end knows that it was made. False: no batch. */
bool nl_batch_after(struct nl *nl, const struct nl_link_change *c);
/* Sets it, by the device's name. */
int nl_link_finish(struct nl *nl, const struct nl_link_change *c,
		   struct err *e) MUST_CHECK;
int nl_link_finish_in(int netns_fd, const struct nl_link_change *c,
		      struct err *e) MUST_CHECK;

/* Where the messages of an answer go. reset: forget those of a broken try. */
struct nl_sink {
	void (*each)(struct nl_sink *s, const struct nlmsghdr *h);
	void (*reset)(struct nl_sink *s);
};

/* A question: one message (NLM_F_DUMP not set) or a dump. */
int nl_ask(struct nl *nl, struct nl_req *r, struct nl_sink *s) MUST_CHECK;
/* The kernel's sentence about the last nl_ask that failed, or NULL. */
const char *nl_why(const struct nl *nl);

/* Walks attributes of a message after a family header of `size` bytes. */
#define nl_for_each_attr(a, h, size) mnl_attr_for_each(a, h, size)
/* The same inside one attribute, and in `len` bytes at `p`. */
#define nl_for_each_nested(a, nest) mnl_attr_for_each_nested(a, nest)
#define nl_for_each_in(a, p, len)                                              \
	for ((a) = (p); mnl_attr_ok((a), (int)((const char *)(p) + (len) -     \
					       (const char *)(a)));            \
	     (a) = mnl_attr_next(a))

uint8_t nl_attr_u8(const struct nlattr *a);
uint16_t nl_attr_u16(const struct nlattr *a);
uint32_t nl_attr_u32(const struct nlattr *a);
void nl_attr_name(const struct nlattr *a, char out[NL_NAME_MAX]);
/* Family 0 when the length is not that of `family`. */
struct ip_addr nl_attr_ip(const struct nlattr *a, uint16_t family);
struct eth_addr nl_attr_eth(const struct nlattr *a);

/* A list of what a parser makes of each message of a dump. `v` grows. */
struct nl_array {
	struct nl_sink sink;
	void *v;
	size_t n, cap, size;
	size_t base; /* where the present dump began */
	bool (*parse)(const struct nlmsghdr *h, void *out);
	void (*fini)(void *item);                                  /* or NULL */
	bool (*wants)(const struct nl_array *a, const void *item); /* or NULL */
	uint32_t ifindex; /* for wants */
};

void nl_array_init(struct nl_array *a, size_t size,
		   bool (*parse)(const struct nlmsghdr *h, void *out));
/* Asks and appends the answer; several dumps may fill one array. */
int nl_array_ask(struct nl_array *a, struct nl *nl,
		 struct nl_req *r) MUST_CHECK;
void nl_array_fini(struct nl_array *a);

/* False: not a message of this kind, or one that is never told (R1). */
bool nl_link_parse(const struct nlmsghdr *h, void *out);
bool nl_addr_parse(const struct nlmsghdr *h, void *out);
bool nl_neigh_parse(const struct nlmsghdr *h, void *out);
bool nl_route_parse(const struct nlmsghdr *h, void *out);
bool nl_rule_parse(const struct nlmsghdr *h, void *out);

#endif
