/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the other hosts: there? how large? what time? All at once, in rounds,
 * so that many hosts take no longer than one. */
#include "doctor/facts.h"

#include <errno.h>
#include <netinet/in.h>
#include <time.h>

#include "sys/ping.h"

#define SMALL_LEN 84u
#define ROUND_MS 1000u
#define TRIES 2u
#define N_SIZES 14u
#define DAY_MS 86400000

/* A question's number says whom it was asked and what. */
enum question { ASK_SMALL, ASK_TIME, ASK_SIZE };
#define PER_PEER (ASK_SIZE + N_SIZES)

/* Largest first; 0: as large as the file says. What paths are known to take
 * (RFC 1191 table 7-1, and today's tunnels). */
static const uint32_t sizes[N_SIZES] = { 0,    8192, 4464, 1500, 1492,
					 1480, 1476, 1460, 1450, 1420,
					 1400, 1380, 1280, 576 };

struct asking {
	struct facts *f;
	const struct subject *s;
	struct ping ping;
	uint32_t open; /* questions without an answer */
	int64_t sent_ms[SUBJECT_PEERS_MAX];
};

static int64_t wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static unsigned n_asked(const struct subject *s)
{
	return MIN(s->n_peers, SUBJECT_PEERS_MAX);
}

static uint16_t seq_of(unsigned peer, unsigned question)
{
	return (uint16_t)(peer * PER_PEER + question);
}

static uint32_t size_of(const struct asking *a, unsigned i)
{
	return i ? sizes[i] : a->s->underlay_mtu;
}

/* --- answers -------------------------------------------------------------- */

/* Half a day at most, whichever way it is nearer. */
static int64_t clock_difference(uint32_t theirs, int64_t ours_ms)
{
	int64_t d = ((int64_t)theirs - ours_ms % DAY_MS + DAY_MS) % DAY_MS;

	return d > DAY_MS / 2 ? d - DAY_MS : d;
}

static void take_time(struct asking *a, unsigned peer,
		      const struct ping_answer *x)
{
	struct fact_peer *p = &a->f->peers[peer];
	int64_t now = wall_ms(), sent = a->sent_ms[peer];

	if (x->time_ms == PING_NO_TIME || now < sent)
		return;
	p->clock_known = true;
	p->rtt_ms = (uint32_t)(now - sent);
	p->clock_ms = clock_difference(x->time_ms, sent + (now - sent) / 2);
}

static void take_answer(struct asking *a, const struct ping_answer *x)
{
	unsigned peer = x->seq / PER_PEER, question = x->seq % PER_PEER;
	struct fact_peer *p;

	if (peer >= n_asked(a->s))
		return;
	p = &a->f->peers[peer];
	if (x->kind == PING_UNREACHABLE) {
		if (p->reach == FACT_SILENT)
			p->reach = FACT_REFUSED;
		return;
	}
	if (x->kind == PING_TOO_BIG) {
		p->told_mtu = x->mtu;
		return;
	}
	p->reach = FACT_ANSWERS;
	if (x->kind == PING_TIME)
		take_time(a, peer, x);
	else if (question >= ASK_SIZE)
		p->mtu = MAX(p->mtu, size_of(a, question - ASK_SIZE));
	if (a->open)
		a->open--;
}

static void await_answers(struct asking *a)
{
	int64_t end = wall_ms() + ROUND_MS, now;
	struct ping_answer x;

	while (a->open && (now = wall_ms()) < end &&
	       end - now <= (int64_t)ROUND_MS)
		if (ping_wait(&a->ping, (unsigned)(end - now), &x))
			take_answer(a, &x);
}

/* --- questions ------------------------------------------------------------ */

static bool is_ours(const struct asking *a, unsigned peer)
{
	return a->s->peers[peer].address.family == a->ping.family;
}

static void ask_small(struct asking *a, unsigned peer)
{
	const struct ip_addr *to = &a->s->peers[peer].address;
	struct fact_peer *p = &a->f->peers[peer];
	int rc = ping_echo(&a->ping, to, SMALL_LEN, seq_of(peer, ASK_SMALL));

	if (rc == -EPERM || rc == -EACCES)
		return; /* not ours to ask: unknown */
	p->reach = rc ? FACT_NO_ROUTE : FACT_SILENT;
	if (rc)
		return;
	a->open++;
	a->sent_ms[peer] = wall_ms();
	if (!ping_time(&a->ping, to, seq_of(peer, ASK_TIME)))
		a->open++;
}

static void ask_sizes(struct asking *a, unsigned peer)
{
	struct fact_peer *p = &a->f->peers[peer];

	p->mtu_asked = true;
	for (unsigned i = 0; i < N_SIZES; i++)
		if ((!i || sizes[i] < a->s->underlay_mtu) &&
		    !ping_echo(&a->ping, &a->s->peers[peer].address,
			       size_of(a, i), seq_of(peer, ASK_SIZE + i)))
			a->open++;
}

static bool needs(const struct fact_peer *p, bool size)
{
	return size ? p->reach == FACT_ANSWERS && !p->mtu :
		      p->reach == FACT_UNASKED || p->reach == FACT_SILENT;
}

/* Who did not answer is asked again: a first packet may wait for ARP. */
static void ask_round(struct asking *a, bool size)
{
	for (unsigned try = 0; try < TRIES; try++) {
		a->open = 0;
		for (unsigned i = 0; i < n_asked(a->s); i++) {
			if (!is_ours(a, i) || !needs(&a->f->peers[i], size))
				continue;
			if (size)
				ask_sizes(a, i);
			else
				ask_small(a, i);
		}
		await_answers(a);
	}
}

void facts_ask_peers(struct facts *f, const struct subject *s, uint32_t seed)
{
	struct asking *a = xzalloc(sizeof(*a));

	a->f = f;
	a->s = s;
	if (s->n_peers && s->underlay.family &&
	    !ping_open(&a->ping, s->underlay.family, (uint16_t)seed,
		       &s->underlay, NULL)) {
		ask_round(a, false);
		ask_round(a, true);
		ping_close(&a->ping);
	}
	free(a);
}
