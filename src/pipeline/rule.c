/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/rule.h"

#include "base/err.h"
#include "base/str.h"

struct rule_table {
	struct classifier cls;
	unsigned n;
};

static struct rule *rule_of(struct cls_rule *c)
{
	return c ? container_of(c, struct rule, cls) : NULL;
}

static void rule_free(struct rcu_head *head)
{
	struct rule *r = container_of(head, struct rule, rcu);

	cls_rule_fini(&r->cls);
	free(r);
}

struct rule_table *rule_table_create(void)
{
	struct rule_table *t = xzalloc(sizeof(*t));

	classifier_init(&t->cls);
	return t;
}

static void rule_put_in_place_of(struct rule_table *t, struct rule *r,
				 struct rule *old)
{
	classifier_replace(&t->cls, &old->cls, &r->cls);
	rcu_defer(&old->rcu, rule_free);
}

static void rule_unlink(struct rule_table *t, struct rule *r)
{
	classifier_remove(&t->cls, &r->cls);
	t->n--;
	rcu_defer(&r->rcu, rule_free);
}

void rule_table_destroy(struct rule_table *t)
{
	struct cls_rule *c;

	if (!t)
		return;
	while ((c = classifier_first(&t->cls)))
		rule_unlink(t, rule_of(c));
	classifier_fini(&t->cls);
	free(t);
}

struct rule *rule_table_put(struct rule_table *t, const struct match *m,
			    const struct rule_what *what)
{
	struct rule *r = xzalloc(sizeof(*r) + what->actions.len), *old;

	cls_rule_init(&r->cls, m, what->priority);
	r->counter = what->counter;
	r->origin = what->origin;
	r->actions_len = what->actions.len;
	memcpy(r->actions, what->actions.first, what->actions.len);
	old = rule_of(classifier_find_exactly(&t->cls, m, what->priority));
	if (old) {
		rule_put_in_place_of(t, r, old);
		return r;
	}
	classifier_insert(&t->cls, &r->cls);
	t->n++;
	return r;
}

bool rule_table_del(struct rule_table *t, const struct match *m,
		    unsigned priority)
{
	struct rule *r = rule_of(classifier_find_exactly(&t->cls, m, priority));

	if (r)
		rule_unlink(t, r);
	return r;
}

unsigned rule_table_count(const struct rule_table *t)
{
	return t->n;
}

const struct rule *rule_table_find(const struct rule_table *t,
				   const struct flow_key *key,
				   struct flow_mask *mask)
{
	return rule_of((struct cls_rule *)(uintptr_t)classifier_lookup(
		&t->cls, key, mask));
}

/* Takes "priority=N," off the front of the text when it stands there. */
static int parse_priority(char **text, unsigned *priority, struct err *e)
{
	unsigned long v;
	char *end;

	*priority = RULE_PRIORITY_DEFAULT;
	if (strncmp(*text, "priority=", 9))
		return 0;
	v = strtoul(*text + 9, &end, 10);
	if (end == *text + 9 || v > 65535 || (*end && *end != ','))
		return err_set(e,
			       "\"%s\": a priority is a number from 0 to "
			       "65535, followed by a comma",
			       *text);
	*priority = (unsigned)v;
	*text = *end ? end + 1 : end;
	return 0;
}

int rule_parse(const char *text, const struct act_names *names,
	       struct rule_spec *out, struct err *e)
{
	static const char word[] = "actions=";
	char *copy = xstrdup(text), *at = copy, *acts = strstr(copy, word);
	int rc;

	if (!acts) {
		rc = err_set(e,
			     "rule \"%s\" says no actions; end it with "
			     "\"actions=\" and what to do, such as "
			     "actions=drop",
			     text);
		goto out;
	}
	for (char *p = acts; p > copy && (p[-1] == ' ' || p[-1] == ','); p--)
		p[-1] = '\0';
	*acts = '\0';
	rc = parse_priority(&at, &out->priority, e);
	if (!rc)
		rc = match_parse(at, &out->match, e);
	if (!rc)
		rc = acts_parse(acts + sizeof(word) - 1, names, &out->actions,
				e);
	if (!rc)
		rc = acts_check(acts_list(&out->actions), true, e);
out:
	free(copy);
	return rc;
}
