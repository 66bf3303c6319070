"""The part of reader.py that makes xz, lzma, bzip2, lz4 and bitcode streams again from their plain bytes (docs/format.md, Recode recipes).

Python's lzma module runs liblzma, of which 5.2 to 5.8 write the same bytes. `python3 -c "import lzma; print(lzma._lzma)"`
says which library that is. Its bz2 module runs libbz2. Zstd streams of klauspost's encoder are not made again here: that takes the
encoder itself, which is in Go. Lz4 takes the module lz4 from PyPI. The hash of the stream decides."""
import bz2, lzma, struct
import reader_bitcode
from reader_deflate import NotRemade, check

FILTERS = {4: "X86", 5: "POWERPC", 6: "IA64", 7: "ARM", 8: "ARMTHUMB", 9: "SPARC"}


class Recipe:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, layout):
        size = struct.calcsize("<" + layout)
        check(self.at + size <= len(self.data), "recipe ends early")
        fields = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += size
        return fields[0] if len(fields) == 1 else fields


class Lz4Blocks:
    """The blocks of a frame of lz4: what liblz4 gives without its header and its end mark."""

    def __init__(self, level, block, linked):
        try:
            import lz4.frame
        except ImportError:
            raise NotRemade("is lz4, for which this needs the module lz4")
        sizes = {16: lz4.frame.BLOCKSIZE_MAX64KB, 18: lz4.frame.BLOCKSIZE_MAX256KB,
                 20: lz4.frame.BLOCKSIZE_MAX1MB, 22: lz4.frame.BLOCKSIZE_MAX4MB}
        self.frame = lz4.frame.LZ4FrameCompressor(block_size=sizes[block], block_linked=bool(linked), compression_level=level)
        self.block = 1 << block

    def compress(self, part):
        head = len(self.frame.begin())
        check(head == 7, "another header")
        return b"".join(self.frame.compress(part[at:at + self.block]) for at in range(0, len(part), self.block))

    def flush(self):
        return self.frame.flush()[:-4]


def settings(recipe):
    """What makes a new encoder of the next settings."""
    encoder = recipe.take("B")
    if encoder == 3:
        level = recipe.take("B")
        check(1 <= level <= 9, "damaged settings")
        return lambda: bz2.BZ2Compressor(level)
    if encoder == 4:
        era, level = recipe.take("BBH")[:2]
        version = {1: "1.15", 2: "1.16.4", 3: "1.17.0", 4: "1.17.3", 5: "1.17.8"}.get(era, "unknown")
        raise NotRemade(f"written by github.com/klauspost/compress/zstd {version} or a little later, at level {level}")
    if encoder == 5:
        level, block, linked = recipe.take("BBB")
        check(1 <= level <= 12 and block in (16, 18, 20, 22) and linked <= 1, "damaged settings")
        return lambda: Lz4Blocks(level, block, linked)
    check(encoder in (1, 2), f"encoder {encoder} needs a newer reader")
    dictionary, properties, mode, finder, nice, depth, count = recipe.take("IBBBHHB")
    check(4096 <= dictionary <= 1 << 26 and properties < 225 and depth <= 1024 and count <= 3, "damaged settings")
    chain = []
    for _ in range(count):
        number = recipe.take("B")
        if number == 3:
            chain.append({"id": lzma.FILTER_DELTA, "dist": recipe.take("B") + 1})
        elif number in FILTERS:
            chain.append({"id": getattr(lzma, "FILTER_" + FILTERS[number])})
        else:
            raise NotRemade(f"has filter {number}, which Python does not know")
    kind = lzma.FILTER_LZMA2 if encoder == 1 else lzma.FILTER_LZMA1
    chain.append({"id": kind, "dict_size": dictionary, "lc": properties % 9, "lp": properties // 9 % 5, "pb": properties // 45,
                  "mode": mode, "mf": finder, "nice_len": nice, "depth": depth})
    return lambda: lzma.LZMACompressor(format=lzma.FORMAT_RAW, filters=chain)


def remade(data, plain, stream_bytes):
    """The stream of a recipe and its plain bytes."""
    recipe = Recipe(data)
    version = recipe.take("B")
    check(version == 1, f"recode recipe {version} needs a newer reader")
    new_encoder, at, out = None, 0, []
    while recipe.at < len(data):
        kind = recipe.take("B")
        if kind == 1:
            new_encoder = settings(recipe)
            continue
        check(kind in (0, 2, 3, 5), f"piece {kind} needs a newer reader")
        size = recipe.take("Q")
        if kind == 0:
            check(size <= 65536, "damaged piece")
            out.append(recipe.take(f"{size}s"))
            continue
        part = plain[at:at + size]
        check(0 < size == len(part), "plain bytes end early")
        at += size
        if kind == 5:
            out.append(reader_bitcode.closed(part, stream_bytes))
        elif kind == 2:
            check(new_encoder, "piece without settings")
            encoder = new_encoder()
            out += [encoder.compress(part), encoder.flush()]
        else:
            for begin in range(0, size, 65536):
                chunk = part[begin:begin + 65536]
                out += [struct.pack(">BH", 2 if begin else 1, len(chunk) - 1), chunk]
            out.append(b"\0")
    check(at == len(plain), "plain bytes are left")
    return b"".join(out)
