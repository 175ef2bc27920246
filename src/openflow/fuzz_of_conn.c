/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a controller says after its hello, to a switch that does it:
 * a first byte chooses the version. Whatever was changed, a dump of it is
 * well formed. */
#include "base/rcu.h"
#include "openflow/hub.h"
#include "ofwire/session.h"
#include "sys/loop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PORTS 4u

/* Bytes that went out: whole messages, one behind the other. */
struct heard {
	struct of_out out;
	bool ended;
};

static void on_send(void *ctx, const void *bytes, size_t n)
{
	struct heard *h = ctx;

	of_out_bytes(&h->out, bytes, n);
}

static void on_end(void *ctx, const char *why)
{
	struct heard *h = ctx;

	must(why);
	h->ended = true;
}

static const struct of_conn_ops ops = { .send = on_send, .end = on_end };

static struct vswitch *house(struct env_test *env)
{
	static const char *const names[PORTS] = { "p1", "p2", "p3", "br0" };
	struct desired_bridge b = { .name = "br0",
				    .mac_limit = 1024,
				    .mac_age_ms = 1000,
				    .openflow = true };
	struct desired_domain net = { .name = "br0", .mtu = 1500 };
	struct desired_port ports[PORTS];
	struct desired d = { .bridges = &b,
			     .n_bridges = 1,
			     .domains = &net,
			     .n_domains = 1,
			     .ports = ports,
			     .n_ports = PORTS };
	struct switch_config c = { .dp = &dp_fake_ops };
	struct vswitch *sw;

	env_test_init(env, 1);
	c.env = &env->env;
	c.loop = loop_create();
	sw = switch_create(&c);
	must(sw);
	for (uint32_t i = 0; i < PORTS; i++)
		ports[i] = (struct desired_port){
			.name = names[i],
			.id = i + 1,
			.vlan = { .mode = VLAN_NATIVE_UNTAGGED },
			.mtu = UINT32_MAX
		};
	switch_apply(sw, &d);
	return sw;
}

/* Each message that was said can be opened. */
static void check_heard(const struct heard *h)
{
	struct of_header header;
	struct of_msg m;

	for (size_t at = 0; at < h->out.len; at += header.length) {
		must(of_header_read(h->out.b + at, h->out.len - at, &header));
		must(header.length <= h->out.len - at);
		must(of_msg_open(h->out.b + at, header.length, &m) == OF_OK);
	}
}

static void clear(struct vswitch *sw)
{
	struct of_group all = { .command = OF_GROUP_DELETE,
				.id = OF_GROUP_ALL };
	struct switch_of *of = switch_of_find(sw, "br0");

	must(!switch_of_group_mod(of, &all));
	switch_of_reset(of);
}

static void session(struct vswitch *sw, struct env *env, const uint8_t *data,
		    size_t size)
{
	struct of_hub_config config = { .env = env, .sw = sw, .bridge = "br0" };
	struct of_hub *hub = of_hub_create(&config);
	struct heard h = { .out = OF_OUT_INIT };
	struct of_conn *c = of_conn_create(hub, OF_CONN_CONTROLLER, &ops, &h);
	struct of_out hello = OF_OUT_INIT;
	bool over;

	of_hello_encode(&hello, 1u << (OF10 + data[0] % OF15), 1);
	must(of_conn_rx(c, hello.b, hello.len, &over) == hello.len && !over);
	(void)of_conn_rx(c, data + 1, size - 1, &over);
	must(over == h.ended);
	check_heard(&h);
	of_out_fini(&hello);
	of_hub_destroy(hub);
	must(h.ended);
	of_out_fini(&h.out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct env_test env;
	static struct vswitch *sw;

	if (!size)
		return 0;
	if (!sw) {
		rcu_thread_register();
		sw = house(&env);
	}
	session(sw, &env.env, data, size);
	clear(sw);
	rcu_quiescent();
	return 0;
}
