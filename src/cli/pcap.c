/* SPDX-License-Identifier: Apache-2.0 */
/* A packet out of a capture file, for explain. */
#include <errno.h>
#include <stdio.h>

#include "cli/capture.h"
#include "cli/js.h"
#include "packet/pcap_file.h"

#define FILE_MAX (1u << 30)
#define PIECE (1u << 20)

static int refuse(struct cli *c, struct err *e)
{
	cli_tell(c, e, 1);
	err_fini(e);
	return CLI_FAILED;
}

static int read_file(struct cli *c, struct str *out)
{
	FILE *f = strcmp(c->pcap, "-") ? fopen(c->pcap, "re") : stdin;
	char *piece = xmalloc(PIECE);
	struct err e = ERR_INIT;
	size_t n = 1;

	if (!f)
		err_set(&e, "%s cannot be read: %s", c->pcap, err_name(errno));
	while (f && n && out->len <= FILE_MAX) {
		n = fread(piece, 1, PIECE, f);
		str_add_n(out, piece, n);
	}
	if (f && ferror(f))
		err_set(&e, "%s cannot be read: %s", c->pcap, err_name(errno));
	if (out->len > FILE_MAX)
		err_set(&e,
			"%s has more than a gigabyte: cut the packet out of "
			"it first (editcap -r)",
			c->pcap);
	if (f && f != stdin)
		fclose(f);
	free(piece);
	return err_is_set(&e) ? refuse(c, &e) : CLI_OK;
}

/* The n-th packet, from 1. */
static int find(struct pcap_file *f, const struct str *file, uint64_t n,
		struct pcap_frame *out, struct err *e)
{
	uint64_t i;
	int rc = pcap_file_decode(f, str_text(file), file->len, e);

	if (rc)
		return rc;
	for (i = 0; i < n; i++) {
		rc = pcap_file_next(f, out, e);
		if (rc <= 0)
			break;
	}
	if (!rc)
		return err_set(e, "it has %llu packets only",
			       (unsigned long long)i);
	return MIN(rc, 0);
}

static void put_packet(struct json_object *params, const struct pcap_frame *p)
{
	struct str hex = STR_INIT;

	for (uint32_t i = 0; i < p->len; i++)
		str_addf(&hex, "%02x", p->bytes[i]);
	json_object_object_add(params, "bytes",
			       json_object_new_string(str_text(&hex)));
	json_object_object_add(params, "link",
			       json_object_new_int64(p->link_type));
	str_fini(&hex);
}

int pcap_put(struct cli *c, uint64_t n, struct json_object *params)
{
	struct pcap_file *f = xzalloc(sizeof(*f));
	struct str file = STR_INIT;
	struct err e = ERR_INIT;
	struct pcap_frame p = { 0 };
	int rc = read_file(c, &file);

	if (!rc && find(f, &file, n, &p, &e)) {
		err_wrap(&e, "%s", c->pcap);
		rc = refuse(c, &e);
	} else if (!rc) {
		put_packet(params, &p);
	}
	str_fini(&file);
	free(f);
	return rc;
}
