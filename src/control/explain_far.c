/* SPDX-License-Identifier: Apache-2.0 */
#include "control/explain_far.h"

#include <json-c/json.h>

#include "base/bucket.h"
#include "control/explain.h"
#include "overlay/note.h"
#include "rpc/message.h"
#include "rpc/server.h"

#define NO_ANSWER                                                              \
	"no answer came within a second; is weftd running there, and does "    \
	"the "                                                                 \
	"tunnel work? weft doctor looks"
#define SAID_MAX 512u /* of a refusal */

/* --- who is who --- */

/* A host of the file; the file's further tunnel ends (peers:) are nobody to
 * ask, or to be told what is here. */
static const struct view_peer *host_by_address(const struct control *c,
					       const struct ip_addr *a)
{
	for (unsigned i = 0; c->view && i < c->view->n_peers; i++) {
		const struct view_peer *p = &c->view->peers[i];

		if (p->name && ip_addr_equal(&p->address, a))
			return p;
	}
	return NULL;
}

static const struct view_peer *host_by_name(const struct control *c,
					    const char *name)
{
	for (unsigned i = 0; c->view && i < c->view->n_peers; i++) {
		const struct view_peer *p = &c->view->peers[i];

		if (p->name && !strcmp(p->name, name))
			return p;
	}
	return NULL;
}

static void send_note(struct control *c, const struct ip_addr *to,
		      const struct note *n)
{
	uint8_t frame[NOTE_FRAME_MAX];

	for (unsigned i = 0; i < note_parts(n); i++)
		switch_send_note(c->sw, to, frame, note_encode(n, i, frame));
}

/* --- asking --- */

struct ask {
	bool is_open; /* not answered yet */
	uint64_t id;
	struct ip_addr host;
	struct json_object *row; /* in the tree */
	struct note_join join;
};

struct waiting {
	struct list link;
	struct control *c;
	struct rpc_call *call;
	struct json_object *root;
	struct ask asks[FAR_ASKS];
	unsigned n_asked, n_open;
	struct timer timer;
};

static void put_text(struct json_object *o, const char *key, const char *text)
{
	json_object_object_add(o, key, json_object_new_string(text));
}

static void ask_close(struct waiting *w, struct ask *a)
{
	a->is_open = false;
	w->n_open--;
	note_join_fini(&a->join);
}

static void end_waiting(struct waiting *w)
{
	for (struct ask *a = w->asks; a < w->asks + w->n_asked; a++) {
		if (!a->is_open)
			continue;
		put_text(a->row, "not_asked", NO_ANSWER);
		ask_close(w, a);
	}
	timer_fini(&w->timer);
	list_del(&w->link);
	w->c->far.n_waiting--;
	rpc_call_result(w->call, w->root);
	free(w);
}

static void on_timer(void *arg)
{
	end_waiting(arg);
}

/* What the host needs to know: the packet, the network, and whose tunnel it
 * comes by when that is not ours. */
static char *ask_text(const struct control *c, const struct view_peer *by,
		      struct json_object *output, const char *bytes)
{
	struct json_object *o = json_object_new_object();
	struct json_object *vni = json_object_object_get(output, "vni");
	char from[IP_STR_LEN], *text;

	put_text(o, "bytes", bytes);
	json_object_object_add(o, "vni", json_object_get(vni));
	ip_addr_format(by ? &by->address : &c->view->underlay.address, from);
	put_text(o, "from", from);
	text = xstrdup(
		json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
	json_object_put(o);
	return text;
}

static void send_ask(struct waiting *w, const struct view_peer *host,
		     struct json_object *row, const char *text)
{
	struct ask *a = &w->asks[w->n_asked++];
	struct note n = { NOTE_ASK, env_random(w->c->config.env), text,
			  (uint32_t)strlen(text) };

	*a = (struct ask){
		.is_open = true, .id = n.id, .host = host->address, .row = row
	};
	w->n_open++;
	send_note(w->c, &host->address, &n);
}

/* Asks the host behind one output of `said`, which `by` said (NULL: we). */
static void ask_host(struct waiting *w, const struct view_peer *by,
		     struct json_object *said, struct json_object *output,
		     struct json_object *row)
{
	const char *name = explain_param(output, "host");
	const struct view_peer *host = host_by_name(w->c, name);
	const char *bytes = explain_param(output, "bytes");
	bool changed = json_object_object_get_ex(output, "changes", NULL);
	char *text;

	if (!bytes && !changed)
		bytes = explain_param(said, "bytes");
	if (!host) {
		put_text(row, "not_asked",
			 "it is no host of the file, but one of its peers");
		return;
	}
	if (w->n_asked >= FAR_ASKS) {
		put_text(row, "not_asked", "enough hosts were asked");
		return;
	}
	text = bytes ? ask_text(w->c, by, output, bytes) : NULL;
	if (text && strlen(text) <= NOTE_MAX)
		send_ask(w, host, row, text);
	else
		put_text(row, "not_asked",
			 "the packet is too large to be asked about");
	free(text);
}

/* Every host that `said` sends the packet to. */
static void ask_hosts(struct waiting *w, const struct view_peer *by,
		      struct json_object *said)
{
	struct json_object *outputs, *hosts = NULL;

	if (!json_object_object_get_ex(said, "outputs", &outputs))
		return;
	for (size_t i = 0; i < json_object_array_length(outputs); i++) {
		struct json_object *out = json_object_array_get_idx(outputs, i);
		const char *name = explain_param(out, "host");
		struct json_object *row;

		if (!name)
			continue;
		if (!hosts) {
			hosts = json_object_new_array();
			json_object_object_add(said, "hosts", hosts);
		}
		row = json_object_new_object();
		put_text(row, "host", name);
		json_object_array_add(hosts, row);
		ask_host(w, by, said, out, row);
	}
}

void explain_far_ask(struct control *c, struct rpc_call *call,
		     struct json_object *root)
{
	struct waiting *w = xzalloc(sizeof(*w));

	w->c = c;
	w->call = call;
	w->root = root;
	list_push_back(&c->far.waiting, &w->link);
	timer_init(&w->timer, c->config.loop, on_timer, w);
	c->far.n_waiting++;
	if (c->far.n_waiting <= FAR_CALLS)
		ask_hosts(w, NULL, root);
	if (!w->n_open)
		end_waiting(w);
	else
		timer_set(&w->timer, FAR_WAIT_MS);
}

/* --- being answered --- */

static struct ask *find_ask(struct explain_far *f, uint64_t id,
			    struct waiting **of)
{
	for (struct list *l = f->waiting.next; l != &f->waiting; l = l->next) {
		struct waiting *w = container_of(l, struct waiting, link);

		*of = w;
		for (struct ask *a = w->asks; a < w->asks + w->n_asked; a++)
			if (a->is_open && a->id == id)
				return a;
	}
	return NULL;
}

/* A sentence of another host's: no control character gets to a terminal. */
static void put_refusal(struct json_object *row, const char *said)
{
	char text[SAID_MAX];
	size_t n = 0;

	for (; n < sizeof(text) - 1 && said[n]; n++)
		text[n] = (char)(said[n] >= ' ' && said[n] < 0x7f ? said[n] :
								    '?');
	text[n] = '\0';
	put_text(row, "not_asked", text);
}

/* Nothing in it that a terminal would obey, escaped or not. */
static bool is_plain(const char *text)
{
	for (const unsigned char *s = (const void *)text; *s; s++) {
		if (*s < ' ' || *s == 0x7f)
			return false;
		if (*s == '\\' && !strchr("\"\\/", *++s))
			return false;
		if (!*s || (*s == 0xc2 && s[1] < 0xa0))
			return false; /* U+0080 to U+009F */
	}
	return true;
}

static struct json_object *read_answer(const struct note_join *j)
{
	struct err e = ERR_INIT;
	struct json_object *o =
		is_plain(j->text) ?
			message_parse(j->text, j->len, MESSAGE_MAX_VALUES, &e) :
			NULL;

	err_fini(&e);
	if (json_object_is_type(o, json_type_object))
		return o;
	json_object_put(o);
	return NULL;
}

static void take_answer(struct waiting *w, struct ask *a)
{
	const struct view_peer *host = host_by_address(w->c, &a->host);
	struct json_object *o;

	if (a->join.kind == NOTE_REFUSAL) {
		put_refusal(a->row, a->join.text);
		ask_close(w, a);
		return;
	}
	o = read_answer(&a->join);
	if (o) {
		json_object_object_add(a->row, "answer", o);
		if (host)
			ask_hosts(w, host, o);
	} else {
		put_text(a->row, "not_asked",
			 "its answer cannot be read; is its weftd of another "
			 "version?");
	}
	ask_close(w, a);
}

static void on_answer(struct control *c, const struct ip_addr *peer,
		      const struct note_part *p)
{
	struct waiting *w = NULL;
	struct ask *a = find_ask(&c->far, p->id, &w);

	if (!a || !ip_addr_equal(&a->host, peer) || !note_join_put(&a->join, p))
		return;
	take_answer(w, a);
	if (!w->n_open)
		end_waiting(w);
}

/* --- answering --- */

struct asker {
	struct list link;
	struct ip_addr host;
	struct bucket rate;
	struct note_join join;
};

static void asker_free(struct explain_far *f, struct asker *k)
{
	list_del(&k->link);
	f->n_askers--;
	note_join_fini(&k->join);
	free(k);
}

/* The latest comes first, so that the one that goes asked longest ago. */
static struct asker *asker_get(struct control *c, const struct ip_addr *host)
{
	struct explain_far *f = &c->far;
	struct asker *k;

	for (struct list *l = f->askers.next; l != &f->askers; l = l->next) {
		k = container_of(l, struct asker, link);
		if (ip_addr_equal(&k->host, host)) {
			list_del(&k->link);
			list_push_front(&f->askers, &k->link);
			return k;
		}
	}
	if (f->n_askers >= FAR_ASKERS)
		asker_free(f, container_of(f->askers.prev, struct asker, link));
	k = xzalloc(sizeof(*k));
	k->host = *host;
	bucket_init(&k->rate, FAR_RATE, FAR_BURST, env_now_ms(c->config.env));
	list_push_front(&f->askers, &k->link);
	f->n_askers++;
	return k;
}

static int read_ask(struct question *q, struct json_object *o,
		    const struct view_peer *asker, struct err *e)
{
	const char *bytes = explain_param(o, "bytes");
	const char *from = explain_param(o, "from");
	struct explain_arrival a = { &asker->address, asker->name, 0 };
	struct json_object *vni;
	struct ip_addr ip;

	if (!bytes || !json_object_object_get_ex(o, "vni", &vni))
		return err_set(e, "the question has no packet and network; is "
				  "that weftd of another version?");
	a.vni = (uint32_t)json_object_get_int64(vni);
	if (from && !ip_addr_parse(from, &ip))
		a.peer = &ip;
	return explain_arrived(q, bytes, &a, e);
}

/* To be freed; NULL with a sentence. */
static char *answer_text(struct control *c, struct json_object *o,
			 const struct view_peer *asker, struct err *e)
{
	struct json_object *said = NULL;
	struct question q;
	char *text = NULL;

	question_init(&q, c);
	q.flows_max = EXPLAIN_FLOWS_FAR;
	if (!q.pool)
		err_set(e, "it has no memory left");
	else if (!read_ask(&q, o, asker, e))
		said = explain_answer(&q);
	if (said) {
		explain_put_cache(&q, said);
		text = xstrdup(json_object_to_json_string_ext(
			said, JSON_C_TO_STRING_PLAIN));
		json_object_put(said);
	}
	question_fini(&q);
	if (text && strlen(text) > NOTE_MAX) {
		err_set(e, "its answer is too long to be sent");
		free(text);
		text = NULL;
	}
	return text;
}

static void send_answer(struct control *c, const struct view_peer *asker,
			uint64_t id, const char *text, enum note_kind kind)
{
	struct note n = { kind, id, text, (uint32_t)strlen(text) };

	send_note(c, &asker->address, &n);
}

static void answer(struct control *c, const struct view_peer *asker,
		   const struct note_join *j)
{
	struct err e = ERR_INIT;
	struct json_object *o =
		message_parse(j->text, j->len, MESSAGE_MAX_VALUES, &e);
	char *text = o ? answer_text(c, o, asker, &e) : NULL;

	if (text)
		send_answer(c, asker, j->id, text, NOTE_ANSWER);
	else
		send_answer(c, asker, j->id, e.text, NOTE_REFUSAL);
	free(text);
	json_object_put(o);
	err_fini(&e);
}

static void on_ask(struct control *c, const struct ip_addr *peer,
		   const struct note_part *p)
{
	const struct view_peer *asker = host_by_address(c, peer);
	uint64_t now = env_now_ms(c->config.env);
	struct asker *k;

	if (!asker)
		return;
	k = asker_get(c, peer);
	if (!note_join_put(&k->join, p))
		return;
	if (bucket_take(&k->rate, 1, now))
		answer(c, asker, &k->join);
	else
		send_answer(c, asker, k->join.id,
			    "it was asked too often within a second",
			    NOTE_REFUSAL);
	note_join_fini(&k->join);
}

/* --- life --- */

void explain_far_init(struct explain_far *f)
{
	*f = (struct explain_far){ 0 };
	list_init(&f->waiting);
	list_init(&f->askers);
}

void explain_far_fini(struct explain_far *f)
{
	struct waiting *w, *next_waiting;
	struct asker *k, *next_asker;

	list_for_each_safe(w, next_waiting, &f->waiting, link)
		end_waiting(w);
	list_for_each_safe(k, next_asker, &f->askers, link)
		asker_free(f, k);
}

void explain_far_note(void *ctx, const struct ip_addr *peer, const void *frame,
		      uint32_t len)
{
	struct control *c = ctx;
	struct note_part p;

	if (!note_decode(frame, len, &p))
		return;
	if (p.kind == NOTE_ASK)
		on_ask(c, peer, &p);
	else
		on_answer(c, peer, &p);
}
