"""Bare bundles, for reader.py: section "Bare bundles" of docs/format.md. It shares no code with carryall.

A bare bundle is shown as the blocks of the volume that it stands for, in a temporary file.
"""
import struct, tempfile
from blake3 import blake3
from reader_deflate import check

MAGIC, BLOCK, SHOWN = b"\x8aCYO", 65536, []


def sealed(numbers, kind, number, content):
    """A block with this content, and its hash."""
    head = b"\x8aCYB" + numbers[4:7] + bytes([kind]) + numbers[8:40] + struct.pack("<I", number) + numbers[44:48]
    rest = content + bytes(BLOCK - 64 - len(content))
    return head + blake3(head + bytes(16) + rest).digest()[:16] + rest


def blocks(data):
    """The blocks of the volume, from block 0 on."""
    numbers = data[:48]
    descriptor_bytes, signature_bytes, catalog_bytes, payload_bytes = struct.unpack_from("<IIQQ", data, 48)
    at = 104 + descriptor_bytes + signature_bytes
    about = data[104:at]
    check(len(about) == at - 104 and blake3(data[:72] + about).digest() == data[72:104], "the head of a bare bundle is damaged")
    check(numbers[4:8] == b"\1\x10\1\1" and numbers[24:36] == struct.pack("<6H", 1, 1, 0, 0, 0, 0), "a bare bundle of a later version")
    C, _, B = struct.unpack_from("<III", numbers, 36)
    check(-(-catalog_bytes // 65472) == C - 1 and max(1, -(-payload_bytes // 65472)) == B - 5 - C, "the numbers of a bare bundle")
    supers, slot, left = {0, B // 4, B // 2, 3 * B // 4, B - 1}, 0, catalog_bytes
    for number in range(B):
        if number in supers:
            yield sealed(numbers, 1, number, bytes(4096) + about)
            continue
        kind = 2 if slot < C else 3
        left = payload_bytes if slot == C else left
        size = min(left, 65472) if slot else 0
        content = data[at + 16:at + 16 + size] if slot else about[:descriptor_bytes]
        block = sealed(numbers, kind, number, content)
        if size:
            check(len(content) == size and data[at:at + 16] == block[48:64], f"the bytes {at} to {at + 16 + size} are not what was packed")
            at, left = at + 16 + size, left - size
        slot += 1
        yield block


def as_volume(path):
    """The path of a temporary file with the blocks of a bare bundle; `path` itself when it is none."""
    with open(path, "rb") as file:
        if file.read(4) != MAGIC:
            return path
        file.seek(0)
        data = file.read()
    # It is removed when the reader ends.
    SHOWN.append(tempfile.NamedTemporaryFile())
    for block in blocks(data):
        SHOWN[-1].write(block)
    SHOWN[-1].flush()
    return SHOWN[-1].name
