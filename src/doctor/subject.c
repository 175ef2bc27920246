/* SPDX-License-Identifier: Apache-2.0 */
#include "doctor/subject.h"

const char *subject_text(struct subject *s, const char *text)
{
	if (!text || !*text)
		return "";
	s->texts = xrealloc(s->texts, (s->n_texts + 1) * sizeof(*s->texts));
	s->texts[s->n_texts] = xstrdup(text);
	return s->texts[s->n_texts++];
}

void *subject_grow(void *items, unsigned *n, size_t size)
{
	items = xrealloc(items, (*n + 1) * size);
	memset((char *)items + *n * size, 0, size);
	(*n)++;
	return items;
}

void subject_fini(struct subject *s)
{
	for (unsigned i = 0; i < s->n_texts; i++)
		free(s->texts[i]);
	for (unsigned i = 0; i < s->n_networks; i++)
		free(s->networks[i].subnets);
	free(s->texts);
	free(s->ports);
	free(s->networks);
	free(s->bridges);
	free(s->peers);
	free(s->vias);
	free(s->routers);
	free(s->stations);
	free(s->loops);
	free(s->conflicts);
	*s = (struct subject){ 0 };
}
