"""The kernel cache: what stays in the kernel, obeys, counts and outlives weftd.

In a run without it (WEFTD_OPTIONS=--no-accel) these are no scenes.
"""
import os
import re
import signal
import subprocess
import time

import lib
from lib import Skipped, must, transfer, until

if "--no-accel" in os.environ.get("WEFTD_OPTIONS", ""):
    def scene(f):
        return f
else:
    scene = lib.scene

TWO = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24]}
  green: {subnets: [203.0.113.0/24]}
routers:
  r1:
    networks:
      blue: {addresses: [198.51.100.254/24]}
      green: {addresses: [203.0.113.254/24]}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, gateway: 198.51.100.254, addresses: [198.51.100.1/24]}
  c2: {type: veth, network: blue, namespace: @c2@, gateway: 198.51.100.254, addresses: [198.51.100.2/24]}
  c3: {type: veth, network: green, namespace: @c3@, gateway: 203.0.113.254, addresses: [203.0.113.3/24]}
"""


# Packets, at 500 a second: one may have been in the hands of the daemon that died.
TAKEOVER = 1


def fast(s):
    """Two containers on blue, one on green; all in the kernel, or skipped."""
    h = s.host("h")
    c1, c2, c3 = s.netns("c1"), s.netns("c2"), s.netns("c3")
    h.apply(TWO)
    c1.must_reach("198.51.100.2")
    c1.must_reach("203.0.113.3")
    why = h.port("c1").get("slow_because")
    if why:
        raise Skipped("this machine keeps no flows in the kernel: " + why)
    return h, c1, c2, c3


def kernel_hits(h):
    return h.rpc("status")["datapath"]["kernel_hits"]


def loss(ping):
    """Sent and not answered, of a ping that ended."""
    out = ping.communicate()[0]
    sent, got = re.search(r"(\d+) packets transmitted, (\d+) received",
                          out).groups()
    return int(sent) - int(got)


def stream(a, address, count, interval="0.002"):
    return a.popen("ping", "-q", "-i", interval, "-c", str(count), address,
                   stdout=subprocess.PIPE, text=True)


@scene
def known_flows_stay_in_the_kernel_and_are_counted(s):
    h, c1, c2, c3 = fast(s)
    before, at = kernel_hits(h), h.port("c1")
    must(not loss(stream(c1, "198.51.100.2", 200)), "no ping is lost")
    must(not loss(stream(c1, "203.0.113.3", 200)), "none through the router")
    now = h.port("c1")
    must(kernel_hits(h) - before >= 780, "nearly all stayed in the kernel: %d" %
         (kernel_hits(h) - before))
    for way in ("rx_packets", "tx_packets"):
        must(400 <= now[way] - at[way] <= 410, "the port counted them: %s %d" %
             (way, now[way] - at[way]))
    must(any(f["in_kernel"] and f["packets"] > 190 for f in h.show("flows")),
         "flows count them too")


@scene
def tcp_is_right_through_the_kernel_bridged_and_routed(s):
    h, c1, c2, c3 = fast(s)
    transfer(c1, c2, "198.51.100.2", 64)
    transfer(c1, c3, "203.0.113.3", 64)
    must(kernel_hits(h) > 1000, "by way of the kernel")


@scene
def tags_come_and_go_in_the_kernel(s):
    """a -- br0 == trunk == br1 -- b, the trunk a veth pair of the host's own."""
    h, c1, c2, c3 = fast(s)
    a, b = s.netns("a"), s.netns("b")
    h.ip("link", "add", "l1", "type", "veth", "peer", "name", "l2")
    h.ip("link", "set", "l1", "up")
    h.ip("link", "set", "l2", "up")
    h.apply(TWO + """
  a: {type: veth, bridge: br0, namespace: @a@, vlan: {access: 10}, addresses: [192.0.2.1/24]}
  l1: {type: veth, bridge: br0, create: false, vlan: {trunk: [10, 20]}}
  l2: {type: veth, bridge: br1, create: false, vlan: {trunk: [10, 20]}}
  b: {type: veth, bridge: br1, namespace: @b@, vlan: {access: 10}, addresses: [192.0.2.2/24]}
bridges: {br0: , br1: }
""")
    a.must_reach("192.0.2.2")
    before = kernel_hits(h)
    must(not loss(stream(a, "192.0.2.2", 100)), "no ping is lost")
    must(kernel_hits(h) - before >= 380, "all four legs in the kernel: %d" %
         (kernel_hits(h) - before))
    transfer(a, b, "192.0.2.2", 32)
    transfer(b, a, "192.0.2.1", 32, port=5002)


@scene
def the_host_itself_takes_part(s):
    h, c1, c2, c3 = fast(s)
    c4 = s.netns("c4")
    h.apply(TWO + """
  c4: {type: veth, bridge: br0, namespace: @c4@, addresses: [192.0.2.4/24]}
bridges:
  br0: {host: {addresses: [192.0.2.1/24]}}
""")
    h.must_reach("192.0.2.4")
    before = kernel_hits(h)
    must(not loss(stream(h, "192.0.2.4", 100)), "no ping is lost")
    must(kernel_hits(h) - before >= 190, "both ways in the kernel: %d" %
         (kernel_hits(h) - before))
    transfer(h, c4, "192.0.2.4", 64)
    transfer(c4, h, "192.0.2.1", 64, port=5002)


@scene
def what_is_forbidden_ends_with_the_answer(s):
    h, c1, c2, c3 = fast(s)
    c1.must_reach("198.51.100.2", 2)
    p = stream(c1, "198.51.100.2", 500)
    time.sleep(0.2)
    h.apply(TWO.replace("network: blue, namespace: @c1@",
                        "network: blue, isolated: true, namespace: @c1@")
            .replace("network: blue, namespace: @c2@",
                     "network: blue, isolated: true, namespace: @c2@"))
    got = int(c2.run("cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)
    time.sleep(0.3)
    now = int(c2.run("cat", "/sys/class/net/eth0/statistics/rx_packets").stdout)
    must(loss(p) > 100, "the stream was cut")
    must(now - got < 5, "nothing more came after the answer: %d" % (now - got))
    must(h.drops("c1", "isolated") > 50, "and what was dropped is counted")
    h.apply(TWO)
    c1.must_reach("198.51.100.2")


@scene
def a_station_that_moves_is_found_at_once(s):
    h, c1, c2, c3 = fast(s)
    mac = "02:00:00:00:00:77"
    for c in (c2, c1):  # the same address here, then there
        c.ip("link", "add", "mv0", "link", "eth0", "type", "macvlan", "mode",
             "private")
        c.ip("link", "set", "mv0", "address", mac)
    c3.ip("addr", "add", "198.51.100.3/24", "dev", "eth0")
    h.apply(TWO.replace("network: green, namespace: @c3@, gateway: "
                        "203.0.113.254, addresses: [203.0.113.3/24]",
                        "network: blue, namespace: @c3@, gateway: "
                        "198.51.100.254, addresses: [198.51.100.3/24]"))
    c3.run("ip", "neigh", "replace", "198.51.100.77", "lladdr", mac, "dev",
           "eth0")
    for c in (c2, c1):
        c.ip("addr", "add", "198.51.100.77/24", "dev", "mv0")
        c.ip("link", "set", "mv0", "up")
        c.run("arping", "-c", "1", "-w", "1", "-U", "-I", "mv0",
              "198.51.100.77", check=False)
        c.run("ping", "-c", "1", "-W", "1", "-I", "mv0", "198.51.100.3",
              check=False)
        c3.must_reach("198.51.100.77", 3)
        must(not loss(stream(c3, "198.51.100.77", 50)), "none is lost")
        c.ip("link", "set", "mv0", "down")


@scene
def a_killed_daemon_is_not_felt(s):
    h, c1, c2, c3 = fast(s)
    p = stream(c1, "198.51.100.2", 1500)
    q = stream(c1, "203.0.113.3", 1500)
    time.sleep(0.5)
    h.kill()
    time.sleep(1)
    h.start()
    lost = loss(p), loss(q)
    must(max(lost) <= TAKEOVER, "what the takeover cost: %s" % (lost,))
    until("the new daemon has them in the kernel", lambda: kernel_hits(h) > 100)
    transfer(c1, c3, "203.0.113.3", 8)


@scene
def an_orderly_restart_is_not_felt(s):
    h, c1, c2, c3 = fast(s)
    p = stream(c1, "198.51.100.2", 1000)
    time.sleep(0.5)
    h.kill(signal.SIGTERM)
    time.sleep(0.5)
    h.start()
    lost = loss(p)
    must(lost <= TAKEOVER, "what the takeover cost: %d" % lost)
    h.rpc("down")
    must("c1" not in h.ip("-br", "link").stdout, "down leaves no device")


@scene
def five_kills_in_a_row_are_not_felt_either(s):
    h, c1, c2, c3 = fast(s)
    p = stream(c1, "198.51.100.2", 2000)
    for _ in range(5):
        time.sleep(0.3)
        h.kill()
        h.start()
    lost = loss(p)
    must(lost <= 5 * TAKEOVER, "what five takeovers cost: %d" % lost)


@scene
def a_port_is_taken_out_by_the_file(s):
    h, c1, c2, c3 = fast(s)
    h.apply(TWO.replace("{type: veth, network: blue, namespace: @c1@",
                        "{type: veth, accel: false, network: blue, "
                        "namespace: @c1@"))
    must(h.port("c1")["slow_because"] == "switched off by the file",
         str(h.port("c1")))
    must(h.port("c2")["fast"], "the others stay")
    c1.must_reach("198.51.100.2")
    before = kernel_hits(h)
    must(not loss(stream(c1, "198.51.100.2", 50)), "no ping is lost")
    must(kernel_hits(h) == before, "none of them in the kernel")
    h.apply(TWO)
    c1.must_reach("198.51.100.2")
    must(not loss(stream(c1, "198.51.100.2", 50)), "no ping is lost")
    must(kernel_hits(h) > before + 80, "and back")


@scene
def without_the_kernel_cache_the_same(s):
    h = s.host("h", True, "--no-accel")
    c1, c2, c3 = s.netns("c1"), s.netns("c2"), s.netns("c3")
    h.apply(TWO)
    c1.must_reach("203.0.113.3")
    transfer(c1, c2, "198.51.100.2", 8)
    must(h.port("c1")["slow_because"] == "switched off", "and says why")
    must(not kernel_hits(h), "nothing passed in the kernel")


@scene
def an_mtu_that_somebody_lowers_is_obeyed(s):
    h, c1, c2, c3 = fast(s)
    must(c1.ping("198.51.100.2", 5, extra=("-s", "1400", "-M", "do")) == 1.0,
         "large packets pass")
    h.ip("link", "set", "c2", "mtu", "1300")
    until("they end at the port", lambda: (
        c1.ping("198.51.100.2", 1, extra=("-s", "1400", "-M", "do")),
        h.drops("c1", "too-big") > 0)[1])
    c1.must_reach("198.51.100.2")
    h.ip("link", "set", "c2", "mtu", "1500")
    c1.must_reach("198.51.100.2", extra=("-s", "1400", "-M", "do"))


@scene
def a_program_that_somebody_takes_off_is_put_back(s):
    h, c1, c2, c3 = fast(s)
    dev = next(p["device"] for p in h.show("ports") if p["name"] == "c1")
    for how in (["filter", "del", "dev", dev, "ingress"],
                ["qdisc", "del", "dev", dev, "clsact"]):
        h.run("tc", *how)
        until("it is back", lambda: "weft" in h.run(
            "tc", "filter", "show", "dev", dev, "ingress").stdout)
        c1.must_reach("198.51.100.2")
    before = kernel_hits(h)
    must(c1.ping("198.51.100.2", 20) == 1.0, "nothing is lost afterwards")
    must(kernel_hits(h) > before, "and the kernel forwards again")
    must(sum("taken off" in e["text"] for e in h.rpc("events")) == 2,
         "it is told: %s" % h.rpc("events"))
