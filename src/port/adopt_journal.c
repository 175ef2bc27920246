/* SPDX-License-Identifier: Apache-2.0 */
#include "port/adopt_journal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/hash.h"
#include "sys/fail.h"
#include "sys/file_io.h"
#include "sys/nl_saved.h"
#include "sys/sysctl.h"

#define ADOPT_HEAD "weft-adopt 1"
#define ADOPT_WORDS_MAX 12u

static const char *const adopt_phases[] = {
	[ADOPT_TAKING] = "taking",
	[ADOPT_TAKEN] = "taken",
	[ADOPT_GIVING] = "giving",
};

void adopt_journal_fini(struct adopt_journal *j)
{
	adopt_image_fini(&j->nic);
	adopt_image_fini(&j->own);
}

static void adopt_boot_id(char out[SYSCTL_VALUE_MAX])
{
	if (sysctl_read(NL_CURRENT_NS, "kernel/random/boot_id", out, NULL))
		snprintf(out, SYSCTL_VALUE_MAX, "unknown");
}

/* Seconds since the boot, sleep included: lifetimes run on. */
static uint64_t adopt_now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

/* --- writing ------------------------------------------------------------------ */
static void adopt_add_ip(struct str *s, const struct ip_addr *ip)
{
	char text[IP_STR_LEN];

	str_addf(s, " %s", ip->family ? ip_addr_format(ip, text) : "-");
}

static void adopt_add_hex(struct str *s, const struct nl_raw *raw)
{
	const uint8_t *p = raw->data;

	str_add_char(s, ' ');
	for (uint32_t i = 0; i < raw->len; i++)
		str_addf(s, "%02x", p[i]);
	str_add_char(s, '\n');
}

static void adopt_add_addr(struct str *s, const struct nl_addr *a)
{
	char text[PREFIX_STR_LEN];

	str_addf(s, "addr %s", ip_prefix_format(&a->local, text));
	adopt_add_ip(s, &a->peer);
	adopt_add_ip(s, &a->broadcast);
	str_addf(s, " %s %u %u %u %u %u %u\n", a->label[0] ? a->label : "-",
		 a->flags, a->scope, a->proto, a->metric, a->valid_s,
		 a->preferred_s);
}

/* The names stand beside the bytes, which may hold others (nl_rule_retarget). */
static void adopt_add_rule(struct str *s, const struct nl_rule *r)
{
	str_addf(s, "rule %s %s", r->iif[0] ? r->iif : "-",
		 r->oif[0] ? r->oif : "-");
	adopt_add_hex(s, &r->raw);
}

static void adopt_add_neigh(struct str *s, const struct nl_neigh *n)
{
	char mac[ETH_STR_LEN];

	str_add(s, "neigh");
	adopt_add_ip(s, &n->addr);
	str_addf(s, " %s %u %u %u %u\n",
		 n->has_mac ? eth_addr_format(n->mac, mac) : "-", n->state,
		 n->flags, n->ext_flags, n->proto);
}

static void adopt_add_image(struct str *s, const char *which,
			    const struct adopt_image *im)
{
	char mac[ETH_STR_LEN];

	str_addf(s, "image %s %s %u %s %u\n", which, im->device, im->ifindex,
		 eth_addr_format(im->mac, mac), im->mtu);
	for (unsigned i = 0; i < im->n_addrs; i++)
		adopt_add_addr(s, &im->addrs[i]);
	for (unsigned i = 0; i < im->n_routes; i++) {
		str_add(s, "route");
		adopt_add_hex(s, &im->routes[i].raw);
	}
	for (unsigned i = 0; i < im->n_rules; i++)
		adopt_add_rule(s, &im->rules[i]);
	for (unsigned i = 0; i < im->n_neighs; i++)
		adopt_add_neigh(s, &im->neighs[i]);
	for (unsigned i = 0; i < im->n_settings; i++)
		str_addf(s, "setting %s %s %ld\n", im->settings[i].family,
			 im->settings[i].name, im->settings[i].value);
}

void adopt_journal_format(const struct adopt_journal *j, struct str *out)
{
	char boot[SYSCTL_VALUE_MAX];

	adopt_boot_id(boot);
	str_addf(out, ADOPT_HEAD "\nboot %s\ntime %" PRIu64 "\nphase %s\n",
		 boot, adopt_now_s(), adopt_phases[j->phase]);
	adopt_add_image(out, "nic", &j->nic);
	adopt_add_image(out, "own", &j->own);
	str_addf(out, "end %016" PRIx64 "\n", hash_bytes(out->s, out->len, 0));
}

/* --- reading ------------------------------------------------------------------ */
struct adopt_parser {
	struct adopt_journal *j;
	struct adopt_image *im; /* where items go; NULL before the first */
	uint64_t time_s;        /* when it was written */
	char *word[ADOPT_WORDS_MAX];
	unsigned n;
};

static bool adopt_u32(const char *word, uint32_t *out)
{
	char *end;
	unsigned long long v = strtoull(word, &end, 10);

	*out = (uint32_t)v;
	return *word && !*end && v <= UINT32_MAX;
}

static bool adopt_ip(const char *word, struct ip_addr *out)
{
	if (strcmp(word, "-"))
		return !ip_addr_parse(word, out);
	*out = (struct ip_addr){ 0 };
	return true;
}

static bool adopt_name(const char *word, char out[NL_NAME_MAX])
{
	return snprintf(out, NL_NAME_MAX, "%s", word) < (int)NL_NAME_MAX;
}

static bool adopt_name_or_none(const char *word, char out[NL_NAME_MAX])
{
	return adopt_name(strcmp(word, "-") ? word : "", out);
}

static bool adopt_read_image(struct adopt_parser *p)
{
	struct adopt_image *im;

	if (p->n != 6)
		return false;
	if (!strcmp(p->word[1], "nic"))
		im = &p->j->nic;
	else if (!strcmp(p->word[1], "own"))
		im = &p->j->own;
	else
		return false;
	p->im = im;
	return adopt_name(p->word[2], im->device) &&
	       adopt_u32(p->word[3], &im->ifindex) &&
	       !eth_addr_parse(p->word[4], &im->mac) &&
	       adopt_u32(p->word[5], &im->mtu);
}

/* A lifetime has run since it was written. */
static uint32_t adopt_left(uint32_t seconds, uint64_t passed)
{
	if (seconds == NL_FOREVER)
		return seconds;
	return seconds > passed ? seconds - (uint32_t)passed : 0;
}

static bool adopt_read_addr(struct adopt_parser *p)
{
	uint64_t passed = adopt_now_s() - p->time_s;
	uint32_t scope, proto;
	struct nl_addr a = { 0 };

	if (p->n != 11 || ip_prefix_parse(p->word[1], &a.local) ||
	    !adopt_ip(p->word[2], &a.peer) ||
	    !adopt_ip(p->word[3], &a.broadcast) ||
	    !adopt_u32(p->word[5], &a.flags) ||
	    !adopt_u32(p->word[6], &scope) || !adopt_u32(p->word[7], &proto) ||
	    !adopt_u32(p->word[8], &a.metric) ||
	    !adopt_u32(p->word[9], &a.valid_s) ||
	    !adopt_u32(p->word[10], &a.preferred_s))
		return false;
	if (strcmp(p->word[4], "-") && !adopt_name(p->word[4], a.label))
		return false;
	a.scope = (uint8_t)scope;
	a.proto = (uint8_t)proto;
	a.valid_s = adopt_left(a.valid_s, passed);
	a.preferred_s = adopt_left(a.preferred_s, passed);
	a.ifindex = p->im->ifindex;
	/* Run out in the meantime: it would be gone. */
	if (a.valid_s)
		adopt_image_add_addr(p->im, &a);
	return true;
}

static int adopt_nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes to free(); NULL when it is no hex. */
static uint8_t *adopt_unhex(const char *word, size_t *len)
{
	size_t n = strlen(word);
	uint8_t *out;

	if (n % 2)
		return NULL;
	out = xmalloc(n / 2 + 1);
	for (*len = 0; *len < n / 2; ++*len) {
		int hi = adopt_nibble(word[2 * *len]);
		int lo = adopt_nibble(word[2 * *len + 1]);

		if (hi < 0 || lo < 0) {
			free(out);
			return NULL;
		}
		out[*len] = (uint8_t)(hi << 4 | lo);
	}
	return out;
}

static bool adopt_read_route(struct adopt_parser *p)
{
	struct nl_route r;
	uint8_t *raw;
	size_t len;
	bool ok;

	raw = p->n == 2 ? adopt_unhex(p->word[1], &len) : NULL;
	ok = raw && nl_route_load(raw, len, &r);
	if (ok)
		adopt_image_add_route(p->im, &r);
	free(raw);
	return ok;
}

static bool adopt_read_rule(struct adopt_parser *p)
{
	struct nl_rule r;
	uint8_t *raw;
	size_t len;
	bool ok;

	raw = p->n == 4 ? adopt_unhex(p->word[3], &len) : NULL;
	ok = raw && nl_rule_load(raw, len, &r);
	if (ok) {
		ok = adopt_name_or_none(p->word[1], r.iif) &&
		     adopt_name_or_none(p->word[2], r.oif);
		adopt_image_add_rule(p->im, &r);
	}
	free(raw);
	return ok;
}

static bool adopt_read_neigh(struct adopt_parser *p)
{
	uint32_t state, flags, proto;
	struct nl_neigh n = { 0 };

	if (p->n != 7 || ip_addr_parse(p->word[1], &n.addr) ||
	    !adopt_u32(p->word[3], &state) || !adopt_u32(p->word[4], &flags) ||
	    !adopt_u32(p->word[5], &n.ext_flags) ||
	    !adopt_u32(p->word[6], &proto))
		return false;
	n.has_mac = strcmp(p->word[2], "-");
	if (n.has_mac && eth_addr_parse(p->word[2], &n.mac))
		return false;
	n.ifindex = p->im->ifindex;
	n.state = (uint16_t)state;
	n.flags = (uint8_t)flags;
	n.proto = (uint8_t)proto;
	adopt_image_add_neigh(p->im, &n);
	return true;
}

static bool adopt_read_setting(struct adopt_parser *p)
{
	struct adopt_setting s;
	char *end;

	if (p->n != 4 ||
	    snprintf(s.family, sizeof(s.family), "%s", p->word[1]) !=
		    (int)sizeof(s.family) - 1 ||
	    snprintf(s.name, sizeof(s.name), "%s", p->word[2]) >=
		    (int)sizeof(s.name) ||
	    strchr(s.name, '/') || strchr(s.family, '/'))
		return false;
	s.value = strtol(p->word[3], &end, 10);
	if (!*p->word[3] || *end)
		return false;
	adopt_image_add_setting(p->im, &s);
	return true;
}

static int adopt_read_boot(struct adopt_parser *p)
{
	char boot[SYSCTL_VALUE_MAX];

	adopt_boot_id(boot);
	if (p->n != 2)
		return -EINVAL;
	return strcmp(p->word[1], boot) ? -ESTALE : 0;
}

static bool adopt_read_time(struct adopt_parser *p)
{
	char *end;

	if (p->n != 2)
		return false;
	p->time_s = strtoull(p->word[1], &end, 10);
	return *p->word[1] && !*end && p->time_s <= adopt_now_s();
}

static bool adopt_read_phase(struct adopt_parser *p)
{
	for (unsigned i = 0; i < ARRAY_SIZE(adopt_phases); i++)
		if (p->n == 2 && !strcmp(p->word[1], adopt_phases[i])) {
			p->j->phase = (enum adopt_phase)i;
			return true;
		}
	return false;
}

/* The lines that belong to an image. */
static const struct {
	const char *word;
	bool (*read)(struct adopt_parser *p);
} adopt_items[] = {
	{ "addr", adopt_read_addr },       { "route", adopt_read_route },
	{ "rule", adopt_read_rule },       { "neigh", adopt_read_neigh },
	{ "setting", adopt_read_setting },
};

static int adopt_read_line(struct adopt_parser *p)
{
	const char *word = p->word[0];

	if (!strcmp(word, "boot"))
		return adopt_read_boot(p);
	if (!strcmp(word, "time"))
		return adopt_read_time(p) ? 0 : -EINVAL;
	if (!strcmp(word, "phase"))
		return adopt_read_phase(p) ? 0 : -EINVAL;
	if (!strcmp(word, "image"))
		return adopt_read_image(p) ? 0 : -EINVAL;
	for (unsigned i = 0; p->im && i < ARRAY_SIZE(adopt_items); i++)
		if (!strcmp(word, adopt_items[i].word))
			return adopt_items[i].read(p) ? 0 : -EINVAL;
	return -EINVAL;
}

static void adopt_split(struct adopt_parser *p, char *line)
{
	char *save;

	p->n = 0;
	for (char *w = strtok_r(line, " ", &save); w && p->n < ADOPT_WORDS_MAX;
	     w = strtok_r(NULL, " ", &save))
		p->word[p->n++] = w;
}

static int adopt_read_lines(char *text, struct adopt_journal *out)
{
	struct adopt_parser p = { .j = out };
	char *save, *line = strtok_r(text, "\n", &save);
	int err = 0;

	if (!line || strcmp(line, ADOPT_HEAD))
		return -EINVAL;
	while (!err && (line = strtok_r(NULL, "\n", &save))) {
		adopt_split(&p, line);
		err = p.n ? adopt_read_line(&p) : -EINVAL;
	}
	if (!err && (!out->nic.device[0] || !out->own.device[0]))
		err = -EINVAL;
	return err;
}

/* The length of what the last line vouches for; 0 when it does not. */
static size_t adopt_vouched(const char *text, size_t len)
{
	static const size_t tail = sizeof("end 0123456789abcdef\n") - 1;
	char want[sizeof("end 0123456789abcdef\n")];

	if (len < tail || memchr(text, 0, len))
		return 0;
	snprintf(want, sizeof(want), "end %016" PRIx64 "\n",
		 hash_bytes(text, len - tail, 0));
	return memcmp(text + len - tail, want, tail) ? 0 : len - tail;
}

int adopt_journal_parse(const char *text, size_t len, struct adopt_journal *out)
{
	size_t n = adopt_vouched(text, len);
	char *copy;
	int err;

	if (!n)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	copy = xstrndup(text, n);
	err = adopt_read_lines(copy, out);
	free(copy);
	if (err)
		adopt_journal_fini(out);
	return err;
}

/* --- the file ------------------------------------------------------------------ */
static char *adopt_journal_path(const struct adopt *a, const char *nic)
{
	return xasprintf("%s/" ADOPT_PREFIX "%s", a->folder, nic);
}

int adopt_journal_save(const struct adopt *a, const struct adopt_journal *j,
		       struct err *e)
{
	char *path = adopt_journal_path(a, j->nic.device);
	struct file_content c = { .mode = 0600 };
	struct str text = STR_INIT;
	int err;

	adopt_journal_format(j, &text);
	c.data = text.s;
	c.len = text.len;
	err = file_write(a->disk, path, &c, e);
	str_fini(&text);
	free(path);
	return err;
}

int adopt_journal_load(const struct adopt *a, const char *nic,
		       struct adopt_journal *out, struct err *e)
{
	char *path = adopt_journal_path(a, nic);
	struct str text = STR_INIT;
	int err = file_read(a->disk, path, ADOPT_JOURNAL_MAX, &text, NULL);

	if (!err)
		err = adopt_journal_parse(str_text(&text), text.len, out);
	if (err == -ESTALE)
		err = -ENOENT;
	if (err && err != -ENOENT)
		fail_errno(e, err, "cannot use the record of what %s had, %s",
			   nic, path);
	str_fini(&text);
	free(path);
	return err;
}

int adopt_journal_remove(const struct adopt *a, const char *nic, struct err *e)
{
	char *path = adopt_journal_path(a, nic);
	int err = disk_unlink(a->disk, path);

	if (!err)
		err = disk_fsync_dir(a->disk, path);
	if (err == -ENOENT)
		err = 0;
	if (err)
		fail_errno(e, err, "cannot remove %s", path);
	free(path);
	return err;
}
