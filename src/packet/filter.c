/* SPDX-License-Identifier: Apache-2.0 */
#include "packet/filter.h"

#include <errno.h>
#include <linux/bpf_common.h>

#include "packet/cursor.h"

#define DIGITS 16 /* of an instruction */
#define SIZE_MASK 0x18u
#define MODE_MASK 0xe0u
#define BPF_A 0x10u
#define BPF_TAX 0x00u
#define BPF_TXA 0x80u

/* --- checking --- */

static bool load_is_known(uint16_t code)
{
	bool is_x = BPF_CLASS(code) == BPF_LDX;

	switch (code & MODE_MASK) {
	case BPF_IMM:
	case BPF_MEM:
	case BPF_LEN:
		return BPF_SIZE(code) == BPF_W;
	case BPF_ABS:
	case BPF_IND:
		return !is_x && BPF_SIZE(code) != SIZE_MASK;
	case BPF_MSH:
		return is_x && BPF_SIZE(code) == BPF_B;
	}
	return false;
}

static bool alu_is_known(const struct filter_op *op)
{
	switch (BPF_OP(op->code)) {
	case BPF_DIV:
	case BPF_MOD:
		return BPF_SRC(op->code) == BPF_X || op->k;
	case BPF_LSH:
	case BPF_RSH:
		return BPF_SRC(op->code) == BPF_X || op->k < 32;
	case BPF_ADD:
	case BPF_SUB:
	case BPF_MUL:
	case BPF_OR:
	case BPF_AND:
	case BPF_XOR:
		return true;
	case BPF_NEG:
		return BPF_SRC(op->code) == BPF_K;
	}
	return false;
}

/* `left`: instructions behind this one. */
static bool jump_stays(const struct filter_op *op, uint32_t left)
{
	switch (BPF_OP(op->code)) {
	case BPF_JA:
		return BPF_SRC(op->code) == BPF_K && op->k < left;
	case BPF_JEQ:
	case BPF_JGT:
	case BPF_JGE:
	case BPF_JSET:
		return op->jt < left && op->jf < left;
	}
	return false;
}

static bool uses_memory(const struct filter_op *op)
{
	switch (BPF_CLASS(op->code)) {
	case BPF_ST:
	case BPF_STX:
		return true;
	case BPF_LD:
	case BPF_LDX:
		return (op->code & MODE_MASK) == BPF_MEM;
	}
	return false;
}

static bool op_is_sound(const struct filter_op *op, uint32_t left)
{
	if (op->code > 0xff || (uses_memory(op) && op->k >= FILTER_MEMORY))
		return false;
	switch (BPF_CLASS(op->code)) {
	case BPF_LD:
	case BPF_LDX:
		return load_is_known(op->code);
	case BPF_ST:
	case BPF_STX:
		return op->code == BPF_CLASS(op->code);
	case BPF_RET:
		return op->code == BPF_RET || op->code == (BPF_RET | BPF_A);
	case BPF_MISC:
		return op->code == (BPF_MISC | BPF_TAX) ||
		       op->code == (BPF_MISC | BPF_TXA);
	case BPF_ALU:
		return alu_is_known(op);
	case BPF_JMP:
		return jump_stays(op, left);
	}
	return false;
}

int filter_check(const struct filter *f, struct err *e)
{
	if (f->n > FILTER_MAX)
		return err_set(e,
			       "the filter has %u instructions, more than %u: "
			       "make it shorter",
			       f->n, FILTER_MAX);
	for (unsigned i = 0; i < f->n; i++)
		if (!op_is_sound(&f->ops[i], f->n - 1 - i))
			return err_set(e,
				       "instruction %u of the filter cannot "
				       "be run",
				       i);
	if (f->n && BPF_CLASS(f->ops[f->n - 1].code) != BPF_RET)
		return err_set(e, "the filter does not end with an answer");
	return 0;
}

/* --- running --- */

struct machine {
	uint32_t a, x;
	uint32_t m[FILTER_MEMORY];
	const void *bytes;
	uint32_t len;
};

static bool load_at(const struct machine *m, uint64_t at, unsigned size,
		    uint32_t *out)
{
	struct cursor c = cursor_init(m->bytes, m->len);

	cursor_skip(&c, at);
	switch (size) {
	case BPF_W:
		*out = cursor_u32(&c);
		break;
	case BPF_H:
		*out = cursor_u16(&c);
		break;
	default:
		*out = cursor_u8(&c);
	}
	return !c.failed;
}

/* The value of a load; false: outside of the packet. */
static bool load(const struct machine *m, const struct filter_op *op,
		 uint32_t *out)
{
	switch (op->code & MODE_MASK) {
	case BPF_IMM:
		*out = op->k;
		return true;
	case BPF_MEM:
		*out = m->m[op->k];
		return true;
	case BPF_LEN:
		*out = m->len;
		return true;
	case BPF_ABS:
		return load_at(m, op->k, BPF_SIZE(op->code), out);
	case BPF_IND:
		return load_at(m, (uint64_t)m->x + op->k, BPF_SIZE(op->code),
			       out);
	default: /* BPF_MSH: the length of an IPv4 header */
		if (!load_at(m, op->k, BPF_B, out))
			return false;
		*out = (*out & 0xf) * 4;
		return true;
	}
}

/* False: a division by zero, which refuses the packet. */
static bool compute(struct machine *m, const struct filter_op *op)
{
	uint32_t v = BPF_SRC(op->code) == BPF_X ? m->x : op->k;

	switch (BPF_OP(op->code)) {
	case BPF_ADD:
		m->a += v;
		return true;
	case BPF_SUB:
		m->a -= v;
		return true;
	case BPF_MUL:
		m->a *= v;
		return true;
	case BPF_DIV:
		m->a = v ? m->a / v : 0;
		return v;
	case BPF_MOD:
		m->a = v ? m->a % v : 0;
		return v;
	case BPF_OR:
		m->a |= v;
		return true;
	case BPF_AND:
		m->a &= v;
		return true;
	case BPF_XOR:
		m->a ^= v;
		return true;
	case BPF_LSH:
		m->a = v < 32 ? m->a << v : 0;
		return true;
	case BPF_RSH:
		m->a = v < 32 ? m->a >> v : 0;
		return true;
	default: /* BPF_NEG */
		m->a = -m->a;
		return true;
	}
}

/* How many instructions to pass over. */
static uint32_t jump(const struct machine *m, const struct filter_op *op)
{
	uint32_t v = BPF_SRC(op->code) == BPF_X ? m->x : op->k;

	switch (BPF_OP(op->code)) {
	case BPF_JEQ:
		return m->a == v ? op->jt : op->jf;
	case BPF_JGT:
		return m->a > v ? op->jt : op->jf;
	case BPF_JGE:
		return m->a >= v ? op->jt : op->jf;
	case BPF_JSET:
		return m->a & v ? op->jt : op->jf;
	default: /* BPF_JA */
		return op->k;
	}
}

static bool step(struct machine *m, const struct filter_op *op)
{
	switch (BPF_CLASS(op->code)) {
	case BPF_LD:
		return load(m, op, &m->a);
	case BPF_LDX:
		return load(m, op, &m->x);
	case BPF_ST:
		m->m[op->k] = m->a;
		return true;
	case BPF_STX:
		m->m[op->k] = m->x;
		return true;
	case BPF_ALU:
		return compute(m, op);
	default: /* BPF_MISC */
		if (op->code == (BPF_MISC | BPF_TXA))
			m->a = m->x;
		else
			m->x = m->a;
		return true;
	}
}

bool filter_pass(const struct filter *f, const void *bytes, uint32_t len)
{
	struct machine m = { .bytes = bytes, .len = len };
	uint32_t i = 0;

	while (i < f->n) {
		const struct filter_op *op = &f->ops[i++];

		if (BPF_CLASS(op->code) == BPF_RET)
			return op->code == (BPF_RET | BPF_A) ? m.a : op->k;
		if (BPF_CLASS(op->code) == BPF_JMP)
			i += jump(&m, op);
		else if (!step(&m, op))
			return false;
	}
	return true; /* no program */
}

/* --- text --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool op_parse(const char *text, struct filter_op *op)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < DIGITS; i++) {
		int d = digit(text[i]);

		if (d < 0)
			return false;
		v = v << 4 | (unsigned)d;
	}
	*op = (struct filter_op){ (uint16_t)(v >> 48), (uint8_t)(v >> 40),
				  (uint8_t)(v >> 32), (uint32_t)v };
	return true;
}

int filter_parse(const char *text, struct filter_op *ops, struct err *e)
{
	size_t len = strlen(text);
	int n = 0;

	if (len > (size_t)FILTER_MAX * DIGITS)
		return err_set(e,
			       "the filter has more than %u instructions: make "
			       "it shorter",
			       FILTER_MAX);
	if (len % DIGITS)
		n = -EINVAL;
	for (size_t at = 0; n >= 0 && at < len; at += DIGITS)
		n = op_parse(&text[at], &ops[n]) ? n + 1 : -EINVAL;
	if (n < 0)
		return err_set(e,
			       "a compiled filter is written as %d hexadecimal "
			       "digits an instruction",
			       DIGITS);
	return n;
}
