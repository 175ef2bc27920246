"""Operators who cut themselves off, each over a real connection from elsewhere.

    op 203.0.113.7 ---- gw 203.0.113.1, 192.0.2.1 ---- up0 192.0.2.2 h

The operator types into a TCP connection; at its other end, in the host, a shell runs
what comes (SSH_CONNECTION is set, as sshd does it). The file with the mistake is
applied with --confirm; the same connection must be alive again without anybody's
help, and over it the operator reads what happened.
"""
import os
import subprocess
import sys
import time

from lib import WEFT, must, run, scene, until

ALIVE_S = 30.0  # seconds: noticed, undone, and sent again by TCP

SHELL = """
import os, socket, subprocess, sys
l = socket.create_server((sys.argv[1], 22))
print("ready", flush=True)
s, far = l.accept()
near = s.getsockname()
env = dict(os.environ, SSH_CONNECTION="%s %d %s %d" % (far + near))
for line in s.makefile("r"):
    p = subprocess.run(line, shell=True, env=env, stdout=subprocess.PIPE,
                       stderr=subprocess.STDOUT)
    s.sendall(p.stdout + b"status %d\\n$\\n" % p.returncode)
"""
TYPE = """
import socket, sys, threading
s = socket.create_connection((sys.argv[1], 22), 20)
s.settimeout(None)
def show():
    while True:
        b = s.recv(65536)
        if not b: break
        sys.stdout.buffer.write(b)
        sys.stdout.buffer.flush()
threading.Thread(target=show, daemon=True).start()
for line in sys.stdin:
    s.sendall(line.encode())
"""

NO_HELP = "net.ipv4.icmp_echo_ignore_all"


class Operator:
    """Logged in from `at` to `address` of `h`."""

    def __init__(self, h, at, address):
        self.h = h
        shell = h.popen(sys.executable, "-c", SHELL, address,
                        stdout=subprocess.PIPE)
        shell.stdout.readline()
        self.screen = os.path.join(h.folder, "screen")
        with open(self.screen, "w") as f:
            self.p = at.popen(sys.executable, "-c", TYPE, address,
                              stdin=subprocess.PIPE, stdout=f)

    def type(self, line):
        self.p.stdin.write((line + "\n").encode())
        self.p.stdin.flush()

    def reads(self):
        with open(self.screen) as f:
            return f.read()

    def run(self, line, seconds=ALIVE_S):
        """What the command says; over the connection, there and back."""
        before = len(self.reads())
        self.type(line)
        until("the answer to: " + line,
              lambda: self.reads()[before:].endswith("$\n"), seconds)
        return self.reads()[before:]

    def weft(self, *words):
        return self.run(" ".join((WEFT, "--socket", self.h.socket) + words))


def site(s):
    """The host behind its gateway, and the operator beyond."""
    h, gw, op = s.host("h"), s.netns("gw"), s.netns("op")
    s.link(h, "up0", gw, "down0")
    s.link(op, "o0", gw, "beyond0")
    op.ip("addr", "add", "203.0.113.7/24", "dev", "o0")
    op.ip("route", "add", "default", "via", "203.0.113.1")
    gw.ip("addr", "add", "192.0.2.1/24", "dev", "down0")
    gw.ip("addr", "add", "203.0.113.1/24", "dev", "beyond0")
    gw.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
    return h, gw, op


def by_hand(h):
    """The host's address and way out, as a distribution would set them up."""
    h.ip("addr", "add", "192.0.2.2/24", "dev", "up0")
    h.ip("route", "add", "default", "via", "192.0.2.1")


def file_of(s, name, text):
    path = os.path.join(s.folder, name + ".yaml")
    with open(path, "w") as f:
        f.write(s.names(text))
    return path


def cut_off(s, h, o, mistake, *because):
    """The mistake is applied over the connection that it cuts."""
    before = h.rpc("model")["text"]
    start = time.monotonic()
    said = o.weft("apply", "--confirm", "120s", file_of(s, "mistake", mistake))
    must("applied:" in said and "undone in 120s unless" in said, said)
    until("the change is undone",
          lambda: not h.rpc("status")["confirm"]["pending"], ALIVE_S)
    o.run("echo alive")
    took = time.monotonic() - start
    must(took < ALIVE_S, "%.1f s" % took)
    must(h.rpc("model")["text"] == before, "everything is as before")
    until("the undo is verified",
          lambda: "as_before" in h.rpc("status")["confirm"], ALIVE_S)
    out = o.weft()
    must("the change is undone: " in out and "; verified: " in out and
         "the caller's connection works" in out and
         "devices, addresses and routes are as before" in out, out)
    must(any(b in out for b in because), out)
    must("undone: " in o.weft("history"), "history tells it")
    must("; verified: " in o.weft("watch", "--once"), "and watch")
    must("nothing to change" not in o.weft("plan", s.folder + "/mistake.yaml"),
         "the mistake is not applied")


STUCK = "the caller's connection from 203.0.113.7 got stuck"
GATEWAY = "the gateway 192.0.2.1 stopped answering"

OWN = """
weft: 1
bridges:
  br0:
    host:
      addresses: [192.0.2.2/24]
      routes: [{to: 0.0.0.0/0, via: 192.0.2.1}]
ports:
  up0: {type: nic, bridge: br0}
"""


BARE = """
weft: 1
bridges: {br0: }
ports:
  up0: {type: nic, bridge: br0}
"""


def owned(s):
    """The file says the host's address and way out."""
    h, gw, op = site(s)
    h.apply(OWN)
    h.must_reach("203.0.113.7")
    return h, gw, Operator(h, op, "192.0.2.2")


@scene
def a_wrong_gateway_undoes_itself(s):
    h, gw, o = owned(s)
    cut_off(s, h, o, OWN.replace("via: 192.0.2.1", "via: 192.0.2.99"), STUCK,
            "the new gateway 192.0.2.99 is not there")


@scene(long=True)
def a_forgotten_route_undoes_itself(s):
    h, gw, o = owned(s)
    cut_off(s, h, o, OWN.replace(
        "      routes: [{to: 0.0.0.0/0, via: 192.0.2.1}]\n", ""), STUCK,
        "the default route is gone")


@scene
def a_wrong_vlan_cuts_off_and_undoes_itself(s):
    h, gw, o = owned(s)
    cut_off(s, h, o, OWN.replace("bridge: br0", "bridge: br0, "
                                 "vlan: {access: 7}"), STUCK, GATEWAY)


@scene(long=True)
def a_wrong_vlan_behind_a_wall_undoes_itself(s):
    """Nobody answers a ping: the connection alone tells."""
    h, gw, op = site(s)
    for n in (gw, op):
        n.run("sysctl", "-q", "-w", NO_HELP + "=1")
    h.apply(OWN)
    o = Operator(h, op, "192.0.2.2")
    cut_off(s, h, o, OWN.replace("bridge: br0", "bridge: br0, "
                                 "vlan: {access: 7}"), STUCK)


@scene
def a_nic_with_its_address_on_it_is_not_taken(s):
    """What is known to cut off is refused before anything is done."""
    h, gw, op = site(s)
    by_hand(h)
    o = Operator(h, op, "192.0.2.2")
    out = o.weft("apply", "--confirm", "60s", file_of(s, "mistake", BARE))
    must("up0 has the host's address 192.0.2.2/24, which would be cut off: "
         "adopt the device" in out and "status 1" in out, out)
    must("nothing was applied yet" in o.weft("history"), "nothing was done")


@scene
def an_address_forgotten_in_the_file_undoes_itself(s):
    h, gw, o = owned(s)
    cut_off(s, h, o, BARE, STUCK, GATEWAY, "lost our address 192.0.2.2",
            "the default route is gone")


@scene
def a_port_renamed_undoes_itself(s):
    """The name was the device's: there is no device uplink."""
    h, gw, o = owned(s)
    cut_off(s, h, o, OWN.replace("up0: {", "uplink: {"), STUCK, GATEWAY)


FAR = """
weft: 1
networks:
  blue: {subnets: [198.51.100.0/24], vni: 100, bridge: br0}
hosts:
  a:
    underlay: {address: 192.0.2.2}
    bridges: {br0: {host: {addresses: [198.51.100.1/24]}}}
  b:
    underlay: {address: 192.0.2.1}
    bridges: {br0: }
    ports:
      op: {type: veth, network: blue, namespace: @op@, addresses: [198.51.100.7/24]}
"""


@scene
def a_tunnel_to_nowhere_undoes_itself(s):
    """The operator comes through the tunnel whose end is changed."""
    a, b, op = s.host("a", False), s.host("b", False), s.netns("op")
    s.link(a, "up0", b, "up0")
    a.ip("addr", "add", "192.0.2.2/24", "dev", "up0")
    b.ip("addr", "add", "192.0.2.1/24", "dev", "up0")
    for h in (a, b):
        h.start()
        h.apply(FAR)
    op.must_reach("198.51.100.1")
    o = Operator(a, op, "198.51.100.1")
    cut_off(s, a, o, FAR.replace("address: 192.0.2.1}", "address: 192.0.2.99}"),
            "the caller's connection from 198.51.100.7 got stuck",
            "the caller's host 198.51.100.7 stopped answering")


@scene(long=True)
def who_is_not_cut_off_is_left_in_peace(s):
    """A right change to the very same port, and the operator who logs out."""
    h, gw, o = owned(s)
    path = file_of(s, "right", OWN.replace("bridge: br0", "bridge: br0, "
                                           "mtu: 1400"))
    o.weft("apply", "--confirm", "60s", path)
    time.sleep(5)
    must(h.rpc("status")["confirm"]["pending"], "it is not undone")
    o.p.terminate()
    time.sleep(4)
    must(h.rpc("status")["confirm"]["pending"], "he logged out, no more")
    run(WEFT, "--socket", h.socket, "confirm")
