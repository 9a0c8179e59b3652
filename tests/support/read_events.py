#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""read_events.py RUN: reads the run's TensorBoard events with nothing but the standard library, checks every
checksum, and compares all scalars with metrics.jsonl. Exit status 0 when they are the same."""
import glob
import json
import math
import struct
import sys


def crc32c_masked(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(data):
    at = 0
    while at < len(data):
        (length, check) = struct.unpack_from("<QI", data, at)
        body = data[at + 12:at + 12 + length]
        assert check == crc32c_masked(data[at:at + 8]), "checksum of a length"
        assert struct.unpack_from("<I", data, at + 12 + length)[0] == crc32c_masked(body), "checksum of an event"
        yield body
        at += 16 + length
    assert at == len(data), "the last record is cut"


def fields(message):
    """-> (field, value) of a protocol buffer; bytes, or a number by its wire type."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        wire = key & 7
        if wire == 0:
            yield key >> 3, varint()
        elif wire == 2:
            length = varint()
            yield key >> 3, message[at:at + length]
            at += length
        else:
            form = {1: "<d", 5: "<f"}[wire]
            yield key >> 3, struct.unpack_from(form, message, at)[0]
            at += struct.calcsize(form)


def expected(line):
    """The scalars that a line of metrics.jsonl holds."""
    for key, value in line.items():
        for tag, number in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(number, (int, float)) and not isinstance(number, bool) and key != "step":
                yield f"{line['kind']}/{key}" + ("" if tag is None else f"/{tag}"), number


def main(run):
    (path,) = glob.glob(run + "/events.out.tfevents.*")
    with open(path, "rb") as file:
        events = [dict(fields(body)) for body in records(file.read())]
    assert events[0][3] == b"brain.Event:2", events[0]
    with open(run + "/metrics.jsonl", encoding="utf-8") as file:
        lines = [json.loads(text) for text in file]
    assert len(events) == len(lines) + 1, (len(events), len(lines))
    count = 0
    for event, line in zip(events[1:], lines):
        assert event[2] == line["step"], (event, line)
        assert event[1] > 1.6e9, "seconds since 1970"
        got = {}
        for number, value in fields(event[5]):
            assert number == 1
            scalar = dict(fields(value))
            got[scalar[1].decode()] = scalar[2]
        wanted = dict(expected(line))
        assert got.keys() == wanted.keys(), got.keys() ^ wanted.keys()
        for tag, number in wanted.items():
            assert math.isclose(got[tag], number, rel_tol=1e-6, abs_tol=1e-37), (tag, got[tag], number)
        count += len(wanted)
    assert count > len(lines), "no scalars"
    print(f"{len(lines)} events, {count} scalars")


main(sys.argv[1])
