"""Namespaces that a process names: they end with it, and that is noticed.

    c1 --- blue --- p1: in the namespace of a process
"""
import os
import signal

from lib import Skipped, must, run, scene, until

NET = """
weft: 1
networks: {blue: {subnets: [198.51.100.0/24]}}
ports:
  c1: {type: veth, network: blue, namespace: @c1@, addresses: [198.51.100.1/24]}
  p1: {type: veth, network: blue, namespace: {pid: %d}, addresses: [198.51.100.2/24]}
"""


def boxed(s):
    """A process in a network namespace of its own."""
    p = s.popen("unshare", "--net", "sleep", "1000")
    home = os.readlink("/proc/self/ns/net")
    until("the process has its namespace",
          lambda: os.readlink("/proc/%d/ns/net" % p.pid) != home)
    return p


def end(p):
    p.send_signal(signal.SIGKILL)
    p.wait(10)


@scene
def a_namespace_that_ends_with_its_process_is_noticed(s):
    h, c1 = s.host("h"), s.netns("c1")
    p = boxed(s)
    h.apply(NET % p.pid)
    c1.must_reach("198.51.100.2")
    end(p)
    h.port_is("p1", "absent")
    said = h.port("p1")["missing"]
    must("process %d" % p.pid in said and "has ended" in said,
         "show says why: " + said)
    # The same file again changes nothing, and fails nobody.
    h.apply(NET % p.pid)
    h.port_is("p1", "absent")
    c1.must_reach("198.51.100.1")
    # Another process, another namespace.
    p = boxed(s)
    h.apply(NET % p.pid)
    c1.must_reach("198.51.100.2")


@scene
def a_restart_finds_the_namespace_of_a_process(s):
    h, c1 = s.host("h"), s.netns("c1")
    p = boxed(s)
    h.apply(NET % p.pid)
    c1.must_reach("198.51.100.2")
    h.kill()
    h.start()
    c1.must_reach("198.51.100.2")
    end(p)
    h.port_is("p1", "absent")


@scene
def a_namespace_that_others_keep_keeps_its_port(s):
    h, c1 = s.host("h"), s.netns("c1")
    p = boxed(s)
    h.apply(NET % p.pid)
    c1.must_reach("198.51.100.2")
    other = s.popen("nsenter", "-n", "-t", str(p.pid), "sleep", "1000")
    until("two are in it", lambda: os.readlink(
        "/proc/%d/ns/net" % other.pid) == os.readlink(
            "/proc/%d/ns/net" % p.pid))
    end(p)
    until("the end of the process is told", lambda:
          "has ended; the port lasts" in h.said())
    must(c1.ping("198.51.100.2") == 1.0, "the port works on")
    end(other)
    h.port_is("p1", "absent")
    must("has ended" in h.port("p1")["missing"], "and why is said")


@scene
def a_process_that_is_not_there_is_waited_for_without_failing(s):
    h, c1 = s.host("h"), s.netns("c1")
    p = boxed(s)
    end(p)
    h.apply(NET % p.pid)
    must(h.port("p1")["state"] == "absent", "the port is absent")
    must("no process %d" % p.pid in h.port("p1")["missing"], "and says why")


def boxed_as(s, pid):
    """A process of this very number, in a namespace of its own."""
    last = "/proc/sys/kernel/ns_last_pid"
    for _ in range(200):
        try:
            with open(last, "w") as f:
                f.write(str(pid - 1))
        except OSError as e:
            raise Skipped("the kernel lets nobody choose a number: %s" % e)
        p = s.popen("unshare", "--net", "sleep", "1000")
        if p.pid == pid:
            home = os.readlink("/proc/self/ns/net")
            until("it has its namespace", lambda: os.readlink(
                "/proc/%d/ns/net" % pid) != home)
            return p
        end(p)
    raise Skipped("others were quicker to take the number")


@scene
def the_next_process_of_the_number_is_not_given_the_port(s):
    h, c1 = s.host("h"), s.netns("c1")
    p = boxed(s)
    h.apply(NET % p.pid)
    c1.must_reach("198.51.100.2")
    end(p)
    h.port_is("p1", "absent")
    stranger = boxed_as(s, p.pid)
    h.apply(NET % p.pid)
    devices = run("nsenter", "-n", "-t", str(stranger.pid), "ip", "-br",
                  "link").stdout
    must("eth0" not in devices, "a stranger was given the port: " + devices)
    must("has ended" in h.port("p1")["missing"], "and the port says why")
