"""Streams that hardly any writer makes but that exist, or must not hurt: containers, flushes, odd headers, damage. name -> bytes."""

import struct
import zlib


def packed(plain, level=6, wbits=-15, mem_level=8, strategy=zlib.Z_DEFAULT_STRATEGY):
    writer = zlib.compressobj(level, zlib.DEFLATED, wbits, mem_level, strategy)
    return writer.compress(plain) + writer.flush()


def flushed(plain, mode, piece_bytes):
    writer = zlib.compressobj(6, zlib.DEFLATED, -15)
    out = b"".join(writer.compress(plain[at:at + piece_bytes]) + writer.flush(mode) for at in range(0, len(plain), piece_bytes))
    return out + writer.flush()


def member(plain, body=None, flags=0, fields=b"", xfl=0, system=3, mtime=0, crc=None, isize=None):
    head = b"\x1f\x8b\x08" + struct.pack("<BIBB", flags, mtime, xfl, system) + fields
    if flags & 2:
        head += struct.pack("<H", zlib.crc32(head) & 0xffff)
    tail = struct.pack("<II", zlib.crc32(plain) if crc is None else crc, len(plain) & 0xffffffff if isize is None else isize)
    return head + (packed(plain) if body is None else body) + tail


class Bits:
    """Writes bits from the lowest up, Huffman codes from their highest, as RFC 1951 says."""

    def __init__(self):
        self.value, self.count = 0, 0

    def put(self, value, count):
        self.value |= value << self.count
        self.count += count
        return self

    def code(self, code, count):
        return self.put(int(f"{code:0{count}b}"[::-1], 2) if count else 0, count)

    def fixed(self, symbol):
        """A literal or length symbol in the fixed code."""
        if symbol < 144:
            return self.code(0x30 + symbol, 8)
        if symbol < 256:
            return self.code(0x190 + symbol - 144, 9)
        if symbol < 280:
            return self.code(symbol - 256, 7)
        return self.code(0xc0 + symbol - 280, 8)

    def bytes(self, padding=0):
        spare = -self.count % 8
        return self.put(padding & (1 << spare) - 1, spare).value.to_bytes(self.count // 8, "little")


def length_258_as_284():
    """The longest match written as symbol 284 with all its extra bits, which decoders take and no writer makes."""
    bits = Bits().put(1, 1).put(1, 2).fixed(97)
    bits.fixed(284).put(31, 5).code(0, 5)
    bits.fixed(285).code(0, 5)
    return bits.fixed(256).bytes()


def far_match():
    """A match that reaches before the start."""
    return Bits().put(1, 1).put(1, 2).fixed(97).fixed(257).code(4, 5).put(0, 1).fixed(256).bytes()


def plain_header(literals=b"abcd" * 40):
    """A dynamic block whose header is written out in full: all 19 lengths, no repeats, all 286 and 30 codes, unused ones too."""
    lengths = [0] * 286
    for symbol in b"abcd":
        lengths[symbol] = 3
    lengths[256] = lengths[257] = lengths[258] = lengths[285] = 3
    distances = [5] * 28 + [4] * 2
    bits = Bits().put(1, 1).put(2, 2).put(286 - 257, 5).put(30 - 1, 5).put(19 - 4, 4)
    # Lengths 0, 3, 4, 5 have codes of 2 bits: 00, 01, 10, 11.
    order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    for symbol in order:
        bits.put(2 if symbol in (0, 3, 4, 5) else 0, 3)
    for length in lengths + distances:
        bits.code([0, 3, 4, 5].index(length), 2)
    used = [symbol for symbol in range(286) if lengths[symbol]]
    for symbol in literals:
        bits.code(used.index(symbol), 3)
    return bits.code(used.index(256), 3).bytes()


def stored_with_padding():
    """Stored blocks whose unused bits are ones, one of them empty, and a last one that ends the stream."""
    bits = Bits().put(0, 1).put(0, 2)
    out = bits.bytes(0x1f) + struct.pack("<HH", 5, 0xfffa) + b"plain"
    out += Bits().put(0, 3).bytes(0x15) + struct.pack("<HH", 0, 0xffff)
    return out + Bits().put(1, 3).bytes(0x0a) + struct.pack("<HH", 3, 0xfffc) + b"end"


def estargz(plain):
    """As eStargz writes: a member for every file and piece, a table of contents, and an empty member that says where it is."""
    out, at, take = b"", 0, 200
    while at < len(plain):
        out += member(plain[at:at + take], packed(plain[at:at + take], 9), system=255, xfl=2)
        at, take = at + take, 150 + (take * 7 + 13) % 900
    table_at = len(out)
    out += member(b'{"version":1,"entries":[]}', packed(b'{"version":1,"entries":[]}', 9), system=255, xfl=2)
    extra = struct.pack("<2sH", b"SG", 22) + f"{table_at:016x}STARGZ".encode()
    return out + member(b"", b"\x01\x00\x00\xff\xff", flags=4, fields=struct.pack("<H", len(extra)) + extra, system=255)


def bgzf(plain):
    """As bgzip writes: members of at most 64 KiB that give their own size, and an empty one at the end."""
    out = b""
    for at in [*range(0, len(plain), 0xff00), None]:
        piece = b"" if at is None else plain[at:at + 0xff00]
        body = packed(piece)
        fields = struct.pack("<H2sHH", 6, b"BC", 2, len(body) + 25)
        out += member(piece, body, flags=4, fields=fields, system=255)
    return out


def fields(plain):
    """Every optional field of a gzip header at once."""
    extra = struct.pack("<2sH", b"xx", 5) + b"extra"
    texts = struct.pack("<H", len(extra)) + extra + b"name of the file\0" + "comment, \u00fc\0".encode("latin-1")
    return member(plain, flags=1 | 2 | 4 | 8 | 16, fields=texts, mtime=0x65eedb00, system=11)


def streams(text):
    short, gz = text[:12_000], member
    return {
        "empty.gz": gz(b""),
        "empty.zz": packed(b"", wbits=15),
        "empty.deflate": packed(b""),
        "empty-stored.gz": gz(b"", b"\x01\x00\x00\xff\xff"),
        "one-byte.gz": gz(b"x"),
        "fields.gz": fields(short),
        "members.gz": gz(short, packed(short, 1), xfl=4) + gz(b"") + gz(text[5000:20_000], packed(text[5000:20_000], 9), xfl=2) + fields(short[:100]),
        "estargz.gz": estargz(text[:40_000]),
        "bgzf.gz": bgzf(text[:100_000]),
        "behind-zeros.gz": gz(short) + bytes(1000),
        "behind-text.gz": gz(short) + b"-----BEGIN SIGNATURE-----\n",
        "wrong-crc.gz": gz(short, crc=0x12345678),
        "wrong-isize.gz": gz(short, isize=7),
        "wrong-adler.zz": packed(short, wbits=15)[:-4] + b"\0\0\0\1",
        "stored.gz": gz(text[:70_000], packed(text[:70_000], 0)),
        "stored-padding.deflate": stored_with_padding(),
        "fixed.gz": gz(short, packed(short, strategy=zlib.Z_FIXED)),
        "huffman-only.gz": gz(short, packed(short, strategy=zlib.Z_HUFFMAN_ONLY)),
        "rle.gz": gz(short, packed(short, strategy=zlib.Z_RLE)),
        "filtered.gz": gz(short, packed(short, strategy=zlib.Z_FILTERED)),
        "window-512.zz": packed(short, wbits=9),
        "window-4096.zz": packed(text[:60_000], wbits=12),
        "memory-1.gz": gz(text[:60_000], packed(text[:60_000], mem_level=1)),
        "memory-9.gz": gz(text[:160_000], packed(text[:160_000], mem_level=9)),
        "sync-flush.gz": gz(text[:40_000], flushed(text[:40_000], zlib.Z_SYNC_FLUSH, 3001)),
        "full-flush.gz": gz(text[:40_000], flushed(text[:40_000], zlib.Z_FULL_FLUSH, 7001)),
        "partial-flush.gz": gz(text[:40_000], flushed(text[:40_000], zlib.Z_PARTIAL_FLUSH, 1501)),
        "zeros.gz": gz(bytes(300_000)),
        "noise.gz": gz(text[142_000:147_000]),
        "length-258-as-284.deflate": length_258_as_284(),
        "header-in-full.deflate": plain_header(),
        # Refused: kept as they came.
        "refused-dictionary.zz": dictionary(short),
        "refused-far-match.deflate": far_match(),
        "refused-block-type.gz": gz(b"", b"\x07"),
        "refused-truncated.gz": gz(short)[:-1000],
        "refused-half-a-member.gz": gz(short) + b"\x1f\x8b\x08\x08\x00",
        "refused-no-trailer.gz": gz(short)[:-8],
        "refused-method.gz": gz(short).replace(b"\x1f\x8b\x08", b"\x1f\x8b\x07", 1),
        "refused-reserved-flag.gz": gz(short, flags=0x20),
        "refused-zlib-check.zz": b"\x78\x9d" + packed(short, wbits=15)[2:],
    }


def dictionary(plain):
    writer = zlib.compressobj(6, zlib.DEFLATED, 15, 8, zlib.Z_DEFAULT_STRATEGY, plain[:2000])
    return writer.compress(plain) + writer.flush()
