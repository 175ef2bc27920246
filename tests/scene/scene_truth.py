"""explain is never wrong: each packet is asked about, then sent, and compared.

The network, its stations and the packets are those of truth.py.
"""
import os
import time

import truth
from lib import scene


def compare(s, seed, n):
    world = truth.World(s, seed)
    packets = truth.Packets(world)
    try:
        for i in range(n):
            st, make = packets.draw() if i % 4 else packets.pair()
            world.try_packet(st, make, check_drops=i % 8 == 7)
        world.must_be_over()
        world.must_be_various()
    except Exception as e:
        raise type(e)("WEFT_SEED=%d, packet %d: %s\n%s" % (
            seed, world.seq, e, world.text)) from e
    if os.environ.get("WEFT_TALK"):
        print(seed, world.compared, world.moved, world.refused, world.kinds)


def seed_of():
    return int(os.environ.get("WEFT_SEED", time.time_ns() % 100000))


# The same network at every run; the long ones are always others.
@scene
def thousands_of_packets_go_where_explain_says(s):
    compare(s, 1, 3000)


@scene(long=True)
def thousands_more_of_another_network_do(s):
    compare(s, seed_of(), 3000)


@scene(long=True)
def and_thousands_more_of_a_third(s):
    compare(s, seed_of() + 1, 3000)
