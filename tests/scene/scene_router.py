"""The router, on one host.

    c1 --- blue 198.51.100.0/24, 2001:db8:1::/64 ---+
                                                    r1
    c2 --- green 203.0.113.0/24, 2001:db8:2::/64 ---+
"""
import time

from lib import must, scene, transfer, until

NET = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24, "2001:db8:1::/64"]}
  green: {subnets: [203.0.113.0/24, "2001:db8:2::/64"], mtu: 1300}
routers:
  r1:
    networks:
      blue: {addresses: [198.51.100.254/24, "2001:db8:1::ff/64"], advertise: true}
      green: {addresses: [203.0.113.254/24, "2001:db8:2::ff/64"]}
    routes:
      - {to: 192.0.2.0/24, blackhole: true}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24, "2001:db8:1::1/64"]}
  c2: {type: veth, network: green, namespace: @c2@, addresses: [203.0.113.1/24, "2001:db8:2::1/64"]}
"""


def routed(s, text=NET):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply(text)
    return h, c1, c2


@scene
def networks_talk_through_the_router_v4_and_v6(s):
    h, c1, c2 = routed(s)
    c1.must_reach("203.0.113.1")
    c1.must_reach("2001:db8:2::1")
    c2.must_reach("198.51.100.254")
    transfer(c1, c2, "203.0.113.1")
    transfer(c2, c1, "2001:db8:1::1")


@scene
def the_path_mtu_is_told_by_icmp_both_ways(s):
    h, c1, c2 = routed(s)
    c1.must_reach("203.0.113.1")
    out = c1.run("ping", "-M", "do", "-s", "1372", "-c", "3", "-i", "0.2",
                 "203.0.113.1", check=False).stdout
    must("mtu = 1300" in out or "mtu=1300" in out, "v4 is told 1300: " + out)
    out = c1.run("ping", "-6", "-M", "do", "-s", "1352", "-c", "3", "-i", "0.2",
                 "2001:db8:2::1", check=False).stdout
    must("mtu=1300" in out or "mtu = 1300" in out, "v6 is told 1300: " + out)
    must(c1.ping("203.0.113.1", 2, extra=("-s", "1272", "-M", "do")) == 1.0,
         "what fits passes")


@scene
def ipv4_without_df_is_fragmented(s):
    h, c1, c2 = routed(s)
    c1.must_reach("203.0.113.1")
    until("a large ping passes in pieces", lambda: c1.ping(
        "203.0.113.1", 1, extra=("-s", "1400", "-M", "dont")) == 1.0)


@scene
def the_router_is_seen_by_traceroute(s):
    h, c1, c2 = routed(s)
    c1.must_reach("203.0.113.1")
    out = c1.run("ping", "-t", "1", "-c", "2", "-i", "0.3", "203.0.113.1",
                 check=False).stdout
    must("198.51.100.254" in out and "exceeded" in out,
         "time exceeded comes from the router: " + out)


@scene
def what_has_no_route_is_told_so(s):
    h, c1, c2 = routed(s)
    c1.must_reach("203.0.113.1")
    out = c1.run("ping", "-c", "2", "-i", "0.3", "-W", "1", "10.99.0.1",
                 check=False).stdout
    must("Unreachable" in out, "unreachable: " + out)
    out = c1.run("ping", "-c", "2", "-i", "0.3", "-W", "1", "203.0.113.77",
                 check=False, seconds=20).stdout
    before = h.drops("c1", "blackhole")
    c1.run("ping", "-c", "2", "-i", "0.2", "-W", "1", "192.0.2.1", check=False)
    must(h.drops("c1", "blackhole") > before, "a blackhole is counted")


@scene
def a_silent_neighbour_is_reported_unreachable(s):
    h, c1, c2 = routed(s)
    c1.must_reach("203.0.113.1")
    until("host unreachable", lambda: "Unreachable" in c1.run(
        "ping", "-c", "5", "-i", "1", "-W", "1", "203.0.113.99",
        check=False, seconds=20).stdout, 25)


@scene
def stations_configure_themselves_from_advertisements(s):
    h, c1, c2 = s.host("h"), s.netns("c1"), s.netns("c2")
    h.apply(NET)
    c1.run("sysctl", "-q", "-w", "net.ipv6.conf.eth0.accept_ra=2",
           "net.ipv6.conf.eth0.autoconf=1")
    c1.ip("link", "set", "eth0", "down")
    c1.ip("link", "set", "eth0", "up")
    until("an address of the prefix, made by the station itself",
          lambda: "2001:db8:1:0:" in c1.ip("-6", "addr").stdout, 20)
    until("a default route", lambda: "default" in
          c1.ip("-6", "route", "show", "proto", "ra").stdout, 20)


@scene
def a_lie_about_the_routers_address_is_not_believed(s):
    h, c1, c2 = routed(s)
    c1.must_reach("203.0.113.1")
    c2.run("arping", "-c", "3", "-w", "2", "-A", "-I", "eth0", "-s",
           "203.0.113.254", "203.0.113.254", check=False)
    time.sleep(0.2)
    c1.must_reach("203.0.113.1")
