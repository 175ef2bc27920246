"""What weft says about itself: doctor, drops, watch, top, graph, metrics, bundle."""
import json
import os
import subprocess
import time

from lib import BUILD, WEFT, Failed, must, run, scene, until

# a.c1 - blue - VXLAN - blue - b.c2; the underlay passes r, which may be narrow
#
#   host a (192.0.2.1) ---- r ---- (198.51.100.2) host b
TWO = """
weft: 1
networks:
  blue: {vni: 100, subnets: 10.1.0.0/24}
hosts:
  a:
    underlay: {address: 192.0.2.1}
    ports:
      c1: {type: veth, namespace: "@c1@", network: blue, addresses: 10.1.0.1/24}
  b:
    underlay: {address: 198.51.100.2}
    ports:
      c2: {type: veth, namespace: "@c2@", network: blue, addresses: 10.1.0.2/24}
"""


def weft(host, *words, ok=(0,)):
    p = subprocess.run([WEFT, "--run", os.path.dirname(host.socket), *words],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, timeout=60)
    must(p.returncode in ok, "weft %s: status %d\n%s" %
         (" ".join(words), p.returncode, p.stdout))
    return p.stdout


def two_hosts(s):
    a, b, r = s.host("a"), s.host("b"), s.netns("r")
    c1, c2 = s.netns("c1"), s.netns("c2")
    for h, dev, near, far in ((a, "ra", "192.0.2.1/24", "192.0.2.254"),
                              (b, "rb", "198.51.100.2/24", "198.51.100.254")):
        s.link(h, "eth0", r, dev)
        h.ip("addr", "add", near, "dev", "eth0")
        h.ip("route", "add", "default", "via", far)
        r.ip("addr", "add", far + "/24", "dev", dev)
    r.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    for h in (a, b):
        h.apply(TWO)
    c1.must_reach("10.1.0.2")
    return a, b, r, c1, c2


def findings(host):
    return host.rpc("doctor")["findings"]


def must_find(host, check, *words):
    found = [f for f in findings(host) if f["check"] == check]
    must(found, "doctor of %s finds no %s: %s" % (host.short, check,
                                                  findings(host)))
    for w in words:
        must(any(w in f["evidence"] + f["fix"] for f in found),
             "%r must be said: %s" % (w, found))


@scene
def the_doctor_finds_nothing_on_healthy_hosts(s):
    a, b, *_ = two_hosts(s)
    for h in (a, b):
        report = h.rpc("doctor")
        must(report["healthy"], "healthy: %s" % report["findings"])
        must(len(report["checks"]) >= 25, "all checks are listed")
        must("healthy" in weft(h, "doctor"), "weft doctor says so")


@scene
def the_doctor_finds_a_narrow_path_that_eats_packets(s):
    a, b, r, *_ = two_hosts(s)
    r.ip("link", "set", "rb", "mtu", "1400")
    must_find(a, "tunnel-mtu", "1500", "1400")
    said = weft(a, "doctor", ok=(2,))
    must("peer b" in said and "mtu: 1400" in said, said)
    json.loads(weft(a, "doctor", "--json", ok=(2,)))
    # a black hole: nobody tells that it is too narrow
    r.run("nft", "add table ip t; add chain ip t o { type filter hook output "
          "priority 0; }; add rule ip t o icmp type destination-unreachable "
          "drop")
    must_find(a, "tunnel-mtu", "largest that passed had 1400")


@scene
def the_doctor_finds_a_host_that_is_off(s):
    a, b, r, *_ = two_hosts(s)
    b.ip("link", "set", "eth0", "down")
    must_find(a, "peer", "198.51.100.2")
    must_find(b, "underlay", "eth0")


@scene
def the_doctor_finds_another_network_number(s):
    a, b, r, c1, c2 = two_hosts(s)
    b.apply(TWO.replace("vni: 100", "vni: 101"))
    c1.ping("10.1.0.2", 2)
    must_find(b, "network-number", "vni")


@scene
def the_doctor_finds_what_was_done_to_a_container(s):
    a, b, r, c1, c2 = two_hosts(s)
    dev = json.loads(c1.run("ip", "-j", "link").stdout)[-1]["ifname"]
    c1.ip("link", "set", dev, "mtu", "1280")
    must_find(a, "port-mtu", "1280")
    c1.ip("link", "set", dev, "down")
    must_find(a, "port-down", "link set %s up" % dev)
    c1.ip("link", "set", dev, "name", "other")
    must_find(a, "port-down", "is not in")


@scene
def the_doctor_finds_a_loop_and_two_claims_of_an_address(s):
    a = s.host("a")
    c1 = s.netns("c1")
    a.apply("""
weft: 1
networks: {blue: {subnets: 10.1.0.0/24}}
routers: {r1: {networks: {blue: {addresses: 10.1.0.1/24}}}}
ports:
  c1: {type: veth, namespace: "@c1@", network: blue, addresses: 10.1.0.2/24}
  n1: {type: nic, device: x1, network: blue}
  n2: {type: nic, device: x2, network: blue}
""")
    a.port_is("c1", "up")
    must_find(a, "port-missing", "x1")
    a.ip("link", "add", "x1", "type", "veth", "peer", "name", "x2")
    a.ip("link", "set", "x1", "up")
    a.ip("link", "set", "x2", "up")
    until("the loop is found", lambda: any(
        f["check"] == "loop" for f in findings(a)))
    kinds = [e["kind"] for e in a.rpc("events")]
    must("loop" in kinds, "the loop is an event: %s" % kinds)
    dev = json.loads(c1.run("ip", "-j", "link").stdout)[-1]["ifname"]
    c1.ip("addr", "add", "10.1.0.1/24", "dev", dev)
    c1.run("arping", "-U", "-c", "2", "-I", dev, "10.1.0.1", check=False)
    c1.python("""
import socket, struct, sys
dev = sys.argv[1]
mac = bytes.fromhex(open("/sys/class/net/%s/address" % dev).read().strip()
                    .replace(":", ""))
ip = socket.inet_aton("10.1.0.1")
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((dev, 0))
s.send(b"\\xff" * 6 + mac + b"\\x08\\x06" +
       struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + mac + ip + b"\\0" * 6 + ip)
""", dev)
    until("the claim is found", lambda: any(
        f["check"] == "duplicate-address" for f in findings(a)))


# c1, c2 - blue - r1 - green - c3
ONE = """
weft: 1
networks: {blue: {subnets: 10.1.0.0/24}, green: {subnets: 10.2.0.0/24}}
routers:
  r1: {networks: {blue: {addresses: 10.1.0.1/24}, green: {addresses: 10.2.0.1/24}}}
ports:
  c1: {type: veth, namespace: "@c1@", network: blue, addresses: 10.1.0.11/24}
  c2: {type: veth, namespace: "@c2@", network: blue, addresses: 10.1.0.12/24}
  c3: {type: veth, namespace: "@c3@", network: green, addresses: 10.2.0.13/24}
"""


def one_host(s, *options):
    a = s.host("a", True, *options)
    stations = [s.netns(n) for n in ("c1", "c2", "c3")]
    a.apply(ONE)
    stations[0].must_reach("10.1.0.12")
    stations[0].must_reach("10.2.0.13")
    return [a] + stations


@scene
def drops_tell_who_why_since_when_and_the_last_packet(s):
    a, c1, c2, c3 = one_host(s)
    c1.run("ping", "-n", "-c", "3", "-i", "0.1", "-W", "1", "192.0.2.99",
           check=False)
    row = [d for d in a.show("drops")
           if d["port"] == "c1" and d["reason"] == "no-route"]
    must(len(row) == 1 and row[0]["packets"] == 3, a.show("drops"))
    must("192.0.2.99" in row[0]["last"]["text"], row)
    must(row[0]["since_ms"] >= row[0]["ago_ms"] + 150, row)
    must(row[0]["last"]["len"] == 98, row)
    said = weft(a, "drops")
    must("no-route" in said and "> 192.0.2.99" in said, said)
