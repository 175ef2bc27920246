"""Two hosts, joined by an underlay link; networks span them by VXLAN.

    ca --- blue === a ---- 192.0.2.0/24 ---- b === blue --- cb
    ga --- green ==                            == green --- gb      r1 on both
"""
import time

from lib import must, scene, transfer, until

NET = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24, "2001:db8:1::/64"], vni: 100}
  green: {subnets: [203.0.113.0/24], vni: 200}
routers:
  r1:
    networks:
      blue: {addresses: [198.51.100.254/24, "2001:db8:1::ff/64"]}
      green: {addresses: [203.0.113.254/24]}
hosts:
  a:
    underlay: {address: %(a)s}
    ports:
      ca: {type: veth, network: blue, namespace: @ca@, addresses: [198.51.100.1/24, "2001:db8:1::1/64"]}
      ga: {type: veth, network: green, namespace: @ga@, addresses: [203.0.113.1/24]}
  b:
    underlay: {address: %(b)s}
    ports:
      cb: {type: veth, network: blue, namespace: @cb@, addresses: [198.51.100.2/24, "2001:db8:1::2/64"]}
      gb: {type: veth, network: green, namespace: @gb@, addresses: [203.0.113.2/24]}
"""
V4 = {"a": "192.0.2.1", "b": "192.0.2.2"}
V6 = {"a": "2001:db8:99::1", "b": "2001:db8:99::2"}


def hosts(s, addresses=V4):
    a, b = s.host("a", False), s.host("b", False)
    s.link(a, "u0", b, "u0")
    for h, name in ((a, "a"), (b, "b")):
        six = ":" in addresses[name]
        h.ip("addr", "add", addresses[name] + ("/64" if six else "/24"),
             "dev", "u0", *(["nodad"] if six else []))
        h.start()
    stations = [s.netns(n) for n in ("ca", "ga", "cb", "gb")]
    text = NET % addresses
    quoted = text.replace("address: 2", 'address: "2').replace(
        "::1}", '::1"}').replace("::2}", '::2"}') if addresses is V6 else text
    for h in (a, b):
        h.apply(quoted)
    return a, b, stations


@scene
def stations_on_two_hosts_are_on_one_wire(s):
    a, b, (ca, ga, cb, gb) = hosts(s)
    ca.must_reach("198.51.100.2")
    ca.must_reach("2001:db8:1::2")
    transfer(ca, cb, "198.51.100.2")
    transfer(cb, ca, "2001:db8:1::1")


@scene
def the_router_is_on_every_host(s):
    a, b, (ca, ga, cb, gb) = hosts(s)
    ca.must_reach("203.0.113.2")
    cb.must_reach("203.0.113.1")
    gb.must_reach("198.51.100.1")
    transfer(ca, gb, "203.0.113.2")


@scene
def the_overlay_runs_over_an_ipv6_underlay(s):
    a, b, (ca, ga, cb, gb) = hosts(s, V6)
    ca.must_reach("198.51.100.2")
    transfer(ca, cb, "198.51.100.2")


@scene
def the_mtu_is_lowered_where_the_tunnel_needs_it(s):
    a, b, (ca, ga, cb, gb) = hosts(s)
    must("mtu 1450" in ca.ip("link", "show", "eth0").stdout,
         "the station's own MTU fits the tunnel")
    ca.must_reach("198.51.100.2", extra=("-M", "do", "-s", "1422"))
    # A station that does not keep to it is told, not starved.
    ca.ip("link", "set", "eth0", "mtu", "1500")
    until("told the right MTU", lambda: "1450" in ca.run(
        "ping", "-M", "do", "-s", "1472", "-c", "2", "-i", "0.2",
        "198.51.100.2", check=False).stdout)


@scene
def a_stranger_in_the_underlay_is_not_heard(s):
    a, b, (ca, ga, cb, gb) = hosts(s)
    ca.must_reach("198.51.100.2")
    b.ip("addr", "add", "192.0.2.66/24", "dev", "u0")
    b.python("""
import socket, struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("192.0.2.66", 0))
frame = b"\\xff" * 6 + b"\\x02\\0\\0\\0\\0\\x66" + b"\\x08\\x06" + bytes(46)
for _ in range(20):
    s.sendto(struct.pack(">II", 0x08000000, 100 << 8) + frame,
             ("192.0.2.1", 4789))
""")
    until("counted as not a peer", lambda: any(
        d["reason"] == "not-a-peer" and d["packets"] >= 20
        for d in a.rpc("drops")))
    must(not any(m["mac"].endswith(":66") for m in a.show("macs")),
         "nothing is learned from it")


@scene
def an_underlay_that_flaps_heals_by_itself(s):
    a, b, (ca, ga, cb, gb) = hosts(s)
    ca.must_reach("198.51.100.2")
    for _ in range(3):
        a.ip("link", "set", "u0", "down")
        time.sleep(0.2)
        a.ip("link", "set", "u0", "up")
    ca.must_reach("198.51.100.2")


@scene
def a_peer_that_restarts_is_found_again(s):
    a, b, (ca, ga, cb, gb) = hosts(s)
    ca.must_reach("203.0.113.2")
    b.kill()
    b.start()
    ca.must_reach("203.0.113.2")
    cb.must_reach("198.51.100.1")
