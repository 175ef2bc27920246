/* SPDX-License-Identifier: Apache-2.0 */
#include "overlay/suppress.h"

struct judgement {
	enum suppress what;
	const char *why;
};

static struct judgement judge(const struct suppress_question *q)
{
	if (q->is_answer || q->is_gratuitous)
		return (struct judgement){ SUPPRESS_FLOOD,
					   "an announcement, for everybody" };
	/* Every host has the router: nobody else need be asked. */
	if (q->for_router)
		return (struct judgement){
			SUPPRESS_ANSWER, "asks for the router, which is here"
		};
	if (q->is_probe)
		return (struct judgement){
			SUPPRESS_FLOOD,
			"tests whether the address is free: only its owner may "
			"answer"
		};
	if (q->from_peer)
		return (struct judgement){ SUPPRESS_LOCAL,
					   "the asking host knew no answer" };
	if (!q->enabled)
		return (struct judgement){ SUPPRESS_FLOOD,
					   "suppression is off" };
	if (!q->target_known)
		return (struct judgement){ SUPPRESS_FLOOD,
					   "its target is not known here" };
	if (q->target_is_asker)
		return (struct judgement){
			SUPPRESS_FLOOD, "asks for its own address: a conflict?"
		};
	return (struct judgement){ SUPPRESS_ANSWER,
				   "answered from the neighbour table" };
}

enum suppress suppress_decide(const struct suppress_question *q)
{
	return judge(q).what;
}

const char *suppress_reason(const struct suppress_question *q)
{
	return judge(q).why;
}
