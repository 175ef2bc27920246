"""What explain says, held still: golden/explain.txt has commands and answers.

    c1 --- blue 198.51.100.0/24 --- r1 --- green 203.0.113.0/24 --- c3
    c2 ----'    rules: UDP to port 9 is dropped            tun0 ----'

After a change that is meant: WEFT_GOLDEN=write tests/scene/run golden
"""
import json
import os
import shlex
import subprocess

from lib import TOP, WEFT, must, scene

NET = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24, "2001:db8:1::/64"]}
  green: {subnets: [203.0.113.0/24]}
routers:
  r1:
    networks:
      blue: {addresses: [198.51.100.254/24, "2001:db8:1::ff/64"]}
      green: {addresses: [203.0.113.254/24]}
    routes:
      - {to: 192.0.2.0/24, blackhole: true}
bridges:
  br9: {rules: ["priority=10,udp,tp_dst=9 actions=drop"]}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, gateway: 198.51.100.254, addresses: [198.51.100.1/24, "2001:db8:1::1/64"]}
  c2: {type: veth, network: blue, namespace: @c2@, gateway: 198.51.100.254, addresses: [198.51.100.2/24, "2001:db8:1::2/64"]}
  c3: {type: veth, network: green, namespace: @c3@, gateway: 203.0.113.254, addresses: [203.0.113.3/24]}
  p1: {type: dummy, bridge: br9}
  p2: {type: dummy, bridge: br9}
"""
GOLDEN = os.path.join(TOP, "tests", "scene", "golden", "explain.txt")
COMMANDS = (
    "explain c1 -> c2",
    "explain c1 -> c2:80",
    "explain c1 -> 2001:db8:1::2",
    "explain c1 -> 203.0.113.3:53 --udp",
    "explain c1 -> 192.0.2.9",
    "explain c1 -> 198.51.100.254",
    "explain c1 -> nowhere",
    "explain c1 --packet icmp,ip_dst=203.0.113.3",
    "explain c1 --packet icmp,ip_dst=203.0.113.3,ip_ttl=1",
    "explain --packet in_port=p1,udp,ip_src=198.51.100.7,ip_dst=198.51.100.8,tp_dst=9",
    "explain --packet in_port=p1,arp",
    "explain --packet in_port=c2,udp,ip_dst=224.0.0.5,tp_dst=520",
    "explain c1 --packet eth_dst=01:80:c2:00:00:00",
    "explain c1 --packet eth_src=01:00:00:00:00:01",
    "explain c1 --packet nonsense=1",
    "explain c9 --packet icmp",
    "explain c1 -> c2:80 --json",
)


def answers(h):
    env = dict(os.environ, WEFT_RUN=os.path.join(h.folder, "run"),
               LC_ALL="C.UTF-8")
    text = ""
    for c in COMMANDS:
        p = subprocess.run([WEFT, *shlex.split(c)], env=env, text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=20)
        text += "$ weft %s\n%s[%d]\n\n" % (c, p.stdout, p.returncode)
    return text


@scene
def what_explain_says_is_the_golden_text(s):
    h = s.host("h", True, "--no-accel")
    spaces = [s.netns(n) for n in ("c1", "c2", "c3")]
    h.apply(NET)
    # Each has spoken, so that who is where is known for certain.
    spaces[0].must_reach("198.51.100.2")
    spaces[0].must_reach("203.0.113.3")
    spaces[0].must_reach("2001:db8:1::2")
    got = answers(h)
    if os.environ.get("WEFT_GOLDEN") == "write":
        os.makedirs(os.path.dirname(GOLDEN), exist_ok=True)
        with open(GOLDEN, "w") as f:
            f.write(got)
    with open(GOLDEN) as f:
        want = f.read()
    for g, w in zip(got.split("\n\n$"), want.split("\n\n$")):
        must(g == w, "it says\n%s\nand not\n%s" % (g, w))
    must(got == want, "as many answers as in the golden text")


@scene
def what_explain_says_of_a_packet_is_what_happens_to_it(s):
    h = s.host("h")
    c1, c2, c3 = (s.netns(n) for n in ("c1", "c2", "c3"))
    h.apply(NET)
    for to, port in (("198.51.100.2", "c2"), ("203.0.113.3", "c3")):
        c1.must_reach(to)
        said = h.rpc("explain", packet="in_port=c1,icmp,ip_dst=" + to)
        must(said["actions"].endswith("output:" + port), json.dumps(said))
        must(not said["drop"], "nothing is dropped")
    said = h.rpc("explain", **{"from": "c1", "to": "198.51.100.254"})
    must("to-router" in said["actions"], "the router itself answers: " +
         json.dumps(said))
    c1.must_reach("198.51.100.254")
    said = h.rpc("explain", packet="in_port=c1,icmp,ip_dst=192.0.2.9")
    must(said["drop"] == "blackhole", json.dumps(said))
    must(c1.ping("192.0.2.9") == 0.0, "nor is there an answer")
    must(h.drops("c1", "blackhole") > 0, "which is counted so")
