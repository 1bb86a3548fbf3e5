# The peer that is vcdiff-decoder, from PyPI (see ../README.md).
import struct
import sys

from vcdiff_decoder import decode


def values(data):
    at = 0
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        yield data[at + 4 : at + 4 + length]
        at += 4 + length


with open(sys.argv[1], "rb") as file:
    each = values(file.read())
right = 0
for i, (source, target, delta) in enumerate(zip(each, each, each)):
    try:
        if decode(source, delta) == target:
            right += 1
        else:
            print(f"wrong {i} other bytes")
    except Exception as problem:
        print(f"wrong {i} {problem!r}")
print(f"right {right}")
