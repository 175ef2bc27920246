/* SPDX-License-Identifier: Apache-2.0 */
/* tcpdump's language, compiled by libpcap here, where nothing is privileged. */
#include <pcap/pcap.h>

#include "cli/capture.h"
#include "cli/js.h"

#define SNAP 262144

/* What no packet passes: an expression that makes no sense for a link type, as
 * "ether host" on layer 3. */
#define NOTHING "0006000000000000"

static char *compile(const char *text, int link_type, struct err *e)
{
	pcap_t *p = pcap_open_dead(link_type, SNAP);
	struct str out = STR_INIT;
	struct bpf_program prog;

	must(p);
	if (pcap_compile(p, &prog, text, 1, PCAP_NETMASK_UNKNOWN)) {
		err_set(e, "%s", pcap_geterr(p));
		pcap_close(p);
		return NULL;
	}
	for (unsigned i = 0; i < prog.bf_len; i++) {
		const struct bpf_insn *op = &prog.bf_insns[i];

		str_addf(&out, "%04x%02x%02x%08x", op->code, op->jt, op->jf,
			 op->k);
	}
	pcap_freecode(&prog);
	pcap_close(p);
	return str_take(&out);
}

static void put(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

int filter_put(const char *text, struct json_object *params, struct err *e)
{
	struct err not_ip = ERR_INIT;
	char *ethernet, *ip;

	if (!*text)
		return 0;
	ethernet = compile(text, DLT_EN10MB, e);
	if (!ethernet)
		return -1;
	ip = compile(text, DLT_RAW, &not_ip);
	put(params, "filter", text);
	put(params, "ethernet", ethernet);
	put(params, "ip", ip ? ip : NOTHING);
	err_fini(&not_ip);
	free(ethernet);
	free(ip);
	return 0;
}
