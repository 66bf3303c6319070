#!/usr/bin/env python3
"""Reads volumes of carryall without carryall: verifies, lists and extracts undamaged sets.

It follows docs/format.md section by section, shares no code with carryall, and is meant to be read with the document. It needs Python 3.9,
blake3, zstandard, and reader_deflate.py, reader_labels.py, reader_names.py, reader_signatures.py, reader_recode.py, reader_bitcode.py and reader_bare.py beside it. The unpacked bytes go into a temporary file ($TMPDIR) as large as the releases.

    reader.py verify PATH...            every block, frame and chunk of the sets in these folders and images
    reader.py list PATH...              releases, items and entries
    reader.py extract PATH... TO        all releases, each into a new folder TO/NAME:VERSION

Of a sealed set, extract writes TO/sealed.age, which `age -d` opens. What comes out is a bare bundle, and is read here again.
It heals nothing: all data volumes must be there and whole, and spare volumes are only checked. A delta needs the sets of the releases that it
depends on, named in the same call. Deflate streams come back byte for byte when zlib wrote them in one go, or when the recipe names no writer. For other writers it says which, leaves a hole in FILE.partial and
writes the plain bytes of the stream next to it, as FILE.plain-1 and so on. Exit code: 0 done, 1 failed, 2 usage, 3 done with such holes.
"""
import lzma, mmap, os, struct, sys, tempfile
from blake3 import blake3
import zstandard
from reader_deflate import NotRemade, Remaker, Unreadable, check
import reader_bare, reader_labels, reader_names, reader_recode, reader_signatures

MAGIC, SIZES = b"\x8aCYB\1", {16: 65536, 12: 4096}


# ---- Envelope, metadata bodies

class Fields:
    """A metadata body: fixed-width little-endian integers, u64 counts."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        check(self.at + count <= len(self.data), "a body ends too early")
        self.at += count
        return self.data[self.at - count:self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.take(struct.calcsize("<" + form)))[0]

    def u64(self): return self.number("Q")
    def u32(self): return self.number("I")
    def bytes(self): return self.take(self.u64())
    def text(self): return self.bytes().decode()
    def sequence(self, element): return [element() for _ in range(self.u64())]
    def option(self, value): return value() if self.take(1) == b"\1" else None
    def runs(self): return self.sequence(lambda: (self.u32(), self.u32()))
    def stream(self): return self.u64(), self.take(1)[0], self.take(32)

    def end(self, value):
        check(self.at == len(self.data), "bytes behind a body")
        return value


def envelope(data, kind, limit, flags=0):
    magic, found, version, has, length = struct.unpack_from("<8sHHIQ", data)
    check(magic == b"\x8aCRYALL\n" and found == kind, f"no envelope of kind {kind}")
    check(version == 1 and not has & ~flags, "an envelope of a newer version")
    check(length <= min(limit, len(data) - 56), "an envelope's length")
    body = data[56:56 + length]
    check(blake3(data[:24] + body).digest() == data[24:56], "an envelope's hash")
    return has, Fields(body)


# ---- Blocks, sets, layout

HEADER = struct.Struct("<4sBBBB16sHHHHHHIII16s")


def blocks_in(path):
    """Every good block of a file, wherever it begins: its header's fields and its place. One inside another is passed over."""
    with open(path, "rb") as file:
        if os.fstat(file.fileno()).st_size < SIZES[12]:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(MAGIC)
            while 0 <= at <= len(data) - SIZES[12]:
                size = SIZES.get(data[at + 5], 0)
                block = data[at:at + size]
                if size and len(block) == size and blake3(block[:48] + bytes(16) + block[64:]).digest()[:16] == block[48:64]:
                    yield HEADER.unpack_from(block), at
                    at += size
                else:
                    at += 1
                at = data.find(MAGIC, at)


class Set:
    """The blocks of one set: where each is, by volume and number."""

    def __init__(self, numbers):
        (self.log2, self.codec, self.id, self.K, self.M, self.w, self.n, self.p, self.C, self.B) = numbers
        B, C, p = self.B, self.C, self.p
        check(7 <= B <= 1 << 27 and 1 <= self.K <= 1024 and C >= 2, "numbers of a set")
        self.supers = {0, B // 4, B // 2, 3 * B // 4, B - 1}
        groups = -(-(B - 5) // (self.n + p)) if p else 0
        self.D = B - 5 - p * groups - C
        check(self.D >= 1, "the layout of a volume")
        self.slots = [number for number in range(B) if number not in self.supers]
        self.where = {}

    def put(self, volume, number, path, at):
        self.where.setdefault((volume, number), (path, at))

    def get(self, volume, number):
        path, at = self.where[volume, number]
        with open(path, "rb") as file:
            file.seek(at + 64)
            return file.read(SIZES[self.log2] - 64)

    def missing(self):
        """Blocks that are not there, by data volume; by spare volume, of those of which something is there."""
        met = {volume for volume, _ in self.where}
        lacks = {v: sum((v, n) not in self.where for n in range(self.B)) for v in range(1, self.K + self.M + 1)}
        return {v: count for v, count in lacks.items() if count and (v <= self.K or v in met)}

    def catalog_bytes(self):
        blocks = []
        for number in self.slots[:self.C]:
            volume = next((v for v in range(1, self.K + self.M + 1) if (v, number) in self.where), None)
            check(volume, "a block of the catalog is on no volume")
            blocks.append(self.get(volume, number))
        _, d = envelope(blocks[0], 4, 61320)
        title, releases, by = d.text(), d.sequence(d.text), d.text()
        payload, length, digest = d.sequence(d.u64), d.u64(), d.take(32)
        facts = d.end(d.sequence(lambda: (d.text(), d.text())))
        self.title, self.releases, self.by, self.payload, self.facts = title, releases, by, payload, facts
        catalog = b"".join(blocks[1:])[:length]
        check(len(catalog) == length and blake3(catalog).digest() == digest, "the catalog's hash")
        size = b"" if self.log2 == 16 else bytes([self.log2])
        numbers = size + struct.pack("<BHHHHHIIQ", self.codec, self.K, self.M, self.w, self.n, self.p, self.C, self.B, length)
        self.root = blake3(numbers + catalog + d.data).digest()
        check(self.root[:16] == self.id, "the set's id")
        return catalog

    def signers(self):
        """Who signed the set, by the first superblock that is there."""
        superblock = next((self.get(*place)[4096 if self.log2 == 16 else 512:] for place in sorted(self.where) if place[1] in self.supers), bytes(56))
        behind = superblock[56 + struct.unpack_from("<Q", superblock, 16)[0]:]
        if behind[:8] != b"\x8aCRYALL\n":
            return []
        _, f = envelope(behind, 11, 48 << 10)
        records = f.end(f.sequence(lambda: (f.number("H"), f.bytes(), f.bytes())))
        return reader_signatures.signers(records, reader_signatures.statement(self.id, self.root, self.title))

    def frames(self, sizes):
        """The frames, one behind the other on each data volume; none crosses to the next."""
        sizes = iter(sizes)
        for volume, length in enumerate(self.payload, 1):
            data, rest, slots = b"", length, iter(self.slots[self.C:self.C + self.D])
            while rest or data:
                size = next(sizes)
                check(size <= rest + len(data), "a frame crosses volumes")
                parts, have = [data], len(data)
                while have < size:
                    parts.append(self.get(volume, next(slots))[:rest])
                    have, rest = have + len(parts[-1]), rest - len(parts[-1])
                data = b"".join(parts)
                yield data[:size]
                data = data[size:]
        check(next(sizes, None) is None, "frames of the set")


def sets_in(paths):
    files, sets = [], {}
    for path in paths:
        check(os.path.exists(path), f"{path}: there is no such file or folder")
        below = sorted(os.path.join(d, f) for d, _, names in os.walk(path) for f in names)
        files += below if os.path.isdir(path) else [path]
    for path in map(reader_bare.as_volume, filter(os.path.isfile, files)):
        for header, at in blocks_in(path):
            _, _, log2, codec, _, set_id, volume, K, M, w, n, p, C, number, B, _ = header
            numbers = log2, codec, set_id, K, M, w, n, p, C, B
            if numbers not in sets:
                sets[numbers] = Set(numbers)
            sets[numbers].put(volume, number, path, at)
    check(sets, "no volume was found")
    return list(sets.values())


def read_catalog(data):
    has, f = envelope(data, 3, 256 << 20, flags=7)
    if has == 4:
        frames, seals = f.sequence(lambda: (f.u32(), f.u32(), f.u32())), f.end(f.sequence(lambda: f.take(32)))
        check(len(frames) == len(seals), "the hashes of sealed pieces")
        return [], [(*frame, seal) for frame, seal in zip(frames, seals)], []
    item = lambda: (f.bytes(), f.u64(), f.runs())
    releases = f.sequence(lambda: (f.text(), f.bytes(), f.sequence(item)))
    frames = f.sequence(lambda: (f.u32(), f.u32(), f.u32(), None))
    leans = f.sequence(lambda: f.sequence(lambda: (f.text(), f.take(32)))) if has & 1 else []
    check(not has & 2, "a top-up, which depends on frames of another set: only carryall can read it")
    return f.end((releases, frames, leans))


def in_order(sets):
    """The sets with their catalogs, each behind those of the releases that it depends on."""
    waiting, known = [(one, read_catalog(one.catalog_bytes())) for one in sets], set()
    while waiting:
        ready = next((each for each in waiting if is_ready(each[1], known)), None)
        if not ready:
            wanted = " or ".join(" with ".join(name for name, _ in lean) for lean in waiting[0][1][2])
            raise Unreadable(f"a delta, which depends on {wanted}: name its set, too")
        waiting.remove(ready)
        known |= {blake3(body).digest() for _, body, _ in ready[1][0]}
        yield ready


def is_ready(catalog, known):
    return not catalog[2] or any(all(digest in known for _, digest in lean) for lean in catalog[2])


# ---- Frames, chunks

def filter_1(data, sign):
    """Filter 1 (sign 1) or the same backwards (-1): distances of x86-64 calls and jumps, and of addresses beside the instruction."""
    data, at, end = bytearray(data), 0, len(data)
    while True:
        while at < end:
            field = at + 1 if data[at] in (0xE8, 0xE9) else None
            if field is None and at + 2 < end and data[at] & 0xFB == 0x48 and data[at + 1] & 0xF9 == 0x89:
                field = at + 3 if data[at + 2] & 0xC7 == 5 else None
            if field is not None:
                break
            at += 1
        else:
            return bytes(data)
        if field + 4 > end:
            return bytes(data)
        if data[field + 3] in (0, 255):
            value = (int.from_bytes(data[field:field + 4], "little") + sign * (field + 4)) & 0x1FFFFFF
            value = value - 0x2000000 if value & 0x1000000 else value
            data[field:field + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
        at = field + 4


def lzma2(data, plain_bytes, base=b""):
    """A raw LZMA2 stream. The bases go in front of it as stored chunks, whose output is taken off again."""
    size = max(len(base) + plain_bytes, 4096)
    size = size if base else min(size, 32 << 20)
    parts = (base[at:at + 65536] for at in range(0, len(base), 65536))
    stored = b"".join((b"\2" if number else b"\1") + struct.pack(">H", len(part) - 1) + part for number, part in enumerate(parts))
    filters = [{"id": lzma.FILTER_LZMA2, "dict_size": size}]
    return lzma.decompress(stored + data, lzma.FORMAT_RAW, filters=filters)[len(base):]


def varints(data):
    value = shift = 0
    for byte in data:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield value
            value = shift = 0


def script(data, base, plain_bytes):
    """Codec 4: copies from the bases, changes of them, literals."""
    sizes, at, streams = struct.unpack_from("<14I", data), 56, []
    for plain, stored in zip(sizes[::2], sizes[1::2]):
        streams.append(lzma2(data[at:at + stored], plain) if stored else b"")
        check(len(streams[-1]) == plain, "a stream of a script")
        at += stored
    copies, counts, seeks, same, changed = map(varints, streams[:5])
    changes, literals, stay, change, start, out = 0, 0, 0, 0, 0, bytearray()
    while len(out) < plain_bytes:
        copied, count = next(copies), next(counts)
        check(0 <= start and start + copied <= len(base), "a copy of a script")
        run, at = bytearray(base[start:start + copied]), 0
        while at < copied:
            if not stay and not change:
                stay, change = next(same), next(changed)
            step = min(stay, copied - at)
            at, stay = at + step, stay - step
            for at in range(at, at + min(change, copied - at)):
                run[at] = (run[at] + streams[5][changes]) & 255
                changes, change, at = changes + 1, change - 1, at + 1
        out += run + streams[6][literals:literals + count]
        literals, seek = literals + count, next(seeks)
        start += copied + (seek >> 1 ^ -(seek & 1))
    return bytes(out)


def chunks_of(frame, chunks):
    magic, version, codec, filtered, _, flags, bases, count, plain_bytes, stored, digest = struct.unpack_from(
        "<4sBBBBHHIII32s", frame)
    check(magic == b"\x8aCYF" and version == 1 and filtered < 2 and flags < 2, "a frame of a newer version")
    check(codec < 10 and (codec > 2) == (bases > 0) and not (codec > 5 and filtered), f"a frame of codec {codec}")
    check(blake3(frame[:24] + frame[56:]).digest() == digest, "a frame's hash")
    width = 36 if flags else 4
    table, ids, data = frame[56:56 + width * count], 56 + width * count, frame[56 + width * count + 32 * bases:]
    base = b"".join(chunks.get(frame[at:at + 32]) for at in range(ids, ids + 32 * bases, 32))
    base = filter_1(base, 1) if filtered else base
    tables = None
    check(len(data) == stored and plain_bytes <= 128 << 20, "a frame's length")
    if codec > 5:
        size, packed = struct.unpack_from("<II", data)
        check(size <= 4 << 20, "the tables of labels or names")
        listed, data = lzma2(data[8:8 + packed], size), data[8 + packed:]
        if codec < 8:
            tables = reader_labels.Tables(listed, len(base), plain_bytes)
            codec, base = codec - 2, tables.label_old(base)
        else:
            codec, base = codec - 4, reader_names.apply(base, reader_names.renames(listed))
    if codec == 1:
        data = zstandard.ZstdDecompressor(max_window_size=1 << 30).decompress(data, max_output_size=plain_bytes)
    elif codec == 2:
        data = lzma2(data, plain_bytes)
    elif codec == 3:
        prefix = zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        reader = zstandard.ZstdDecompressor(dict_data=prefix, max_window_size=1 << 30)
        data = reader.decompress(data, max_output_size=plain_bytes)
    elif codec == 4:
        data = script(data, base, plain_bytes)
    elif codec == 5:
        data = lzma2(data, plain_bytes, base)
    check(len(data) == plain_bytes, "a frame's plain bytes")
    data = tables.undo_new(data) if tables else data
    data, at = (filter_1(data, -1) if filtered else data), 0
    for number in range(count):
        length = int.from_bytes(table[width * number:width * number + 4], "little")
        chunk, at = data[at:at + length], at + length
        digest = blake3(chunk).digest()
        check(not flags or digest == table[width * number + 4:width * (number + 1)], "a chunk's id")
        yield digest, chunk
    check(at == plain_bytes, "lengths of a frame's chunks")


class Chunks:
    """All chunks of the sets, unpacked into a temporary file."""

    def __init__(self):
        self.file, self.where = tempfile.TemporaryFile(), {}

    def add(self, digest, chunk):
        self.where[digest] = self.file.seek(0, 2), len(chunk)
        self.file.write(chunk)

    def get(self, digest):
        check(digest in self.where, f"chunk {digest.hex()} is missing")
        at, length = self.where[digest]
        self.file.seek(at)
        return self.file.read(length)

    # Streams
    def stream(self, reference):
        length, depth, digest = reference
        check(depth <= 4, "depth of a list")
        if not length:
            return
        if not depth:
            chunk = self.get(digest)
            check(len(chunk) == length, "length of a chunk")
            yield chunk
            return
        records, total = self.get(digest), 0
        check(len(records) % 40 == 0, "a list")
        for at in range(0, len(records), 40):
            part = int.from_bytes(records[at:at + 8], "little")
            total += part
            check(part, "an empty part of a list")
            yield from self.stream((part, depth - 1, records[at + 8:at + 40]))
        check(total == length, "lengths of a list")

    def whole(self, reference):
        return b"".join(self.stream(reference))

    def records(self, reference):
        f = Fields(self.whole(reference))
        while f.at < len(f.data):
            yield Fields(f.take(f.u32()))


# ---- Releases

def read_root(body):
    f = Fields(body)
    name, version, arch = f.text(), f.text(), f.option(f.text)
    manifest, blobs, items, size = f.stream(), f.stream(), f.u32(), f.u64()
    return f.end((name + ":" + version + ("@" + arch if arch else ""), manifest, items, size))


def read_metadata(f):
    mode, uid, gid, seconds, nanos = f.u32(), f.u32(), f.u32(), f.number("q"), f.u32()
    return mode, uid, gid, seconds * 10**9 + nanos, f.sequence(lambda: (f.bytes(), f.bytes()))


def read_content(f):
    tag = f.u32()
    check(tag < 3, "a content of a newer version")
    return tag, (f.u32(), f.take(32)) if tag == 1 else read_blob(f) if tag == 2 else None


def read_blob(f):
    return f.take(32), f.u64(), f.stream(), f.stream()


def read_item(f):
    name, metadata, tag = f.bytes(), read_metadata(f), f.u32()
    check(tag < 2, "an item of a newer version")
    return f.end((name, metadata, tag, read_content(f) if tag == 0 else (f.stream(), f.u64(), f.u64())))


def read_entry(f):
    path, metadata, tag = f.bytes(), read_metadata(f), f.u32()
    check(tag < 7, "an entry of a newer version")
    value = read_content(f) if tag == 0 else f.bytes() if tag in (2, 3) else f.u64() if tag > 4 else None
    return f.end((path, metadata, tag, value))


class Gap:
    """Bytes of a stream that were not made again, and its plain bytes when they are known."""

    def __init__(self, size, plain, why):
        self.size, self.plain, self.why = size, plain, why


def content_bytes(chunks, content, depth=0):
    """The bytes of a content, piece by piece; a Gap in place of a stream that cannot be made again."""
    tag, value = content
    if tag == 1:
        length, digest = value
        chunk = chunks.get(digest)
        check(len(chunk) == length, "length of a chunk")
        yield chunk
    elif tag == 2:
        yield from blob_bytes(chunks, value, depth + 1)


def blob_bytes(chunks, blob, depth):
    digest, length, side, steps = blob
    check(depth <= 16, "blobs in blobs, too deep")
    hasher, done, gaps, side = blake3(), 0, False, Fields(chunks.whole(side))
    for f in chunks.records(steps):
        tag = f.u32()
        check(tag < 5, "a step of a newer version")
        if tag == 0:
            size, chunk = f.u32(), f.take(32)
            pieces = [chunks.get(chunk)]
        elif tag == 1:
            pieces = [side.take(f.u64())]
        elif tag == 2:
            pieces = blob_bytes(chunks, read_blob(f), depth + 1)
        elif tag == 3:
            size, plain, recipe_bytes, codec = f.u64(), read_content(f), f.u64(), f.number("H")
            check(codec in (1, 2), "a recipe of a newer version")
            pieces = [remade_stream(chunks, size, plain, side.take(recipe_bytes), codec, depth)]
        else:
            f.number("H")
            pieces = []
        for piece in pieces:
            gaps |= isinstance(piece, Gap)
            done += piece.size if isinstance(piece, Gap) else len(piece)
            if not gaps:
                hasher.update(piece)
            yield piece
        f.end(None)
    check(done == length, "length of a blob")
    check(gaps or hasher.digest() == digest, "hash of a blob")


def remade_stream(chunks, size, plain, recipe, codec, depth):
    parts = list(content_bytes(chunks, plain, depth))
    gap = next((part for part in parts if isinstance(part, Gap)), None)
    if gap:
        return Gap(size, None, f"{gap.why}, inside of it")
    plain = b"".join(parts)
    try:
        made = Remaker(recipe, plain).stream() if codec == 1 else reader_recode.remade(recipe, plain, size)
    except NotRemade as error:
        return Gap(size, plain, str(error))
    if len(made) != size:
        return Gap(size, plain, "of which this machine's library makes something else")
    return made


# ---- Commands

def safe(path):
    parts = path.split(b"/")
    check(path and b"\0" not in path and not any(part in (b"", b".", b"..") for part in parts), f"a path such as {path!r}")
    return os.path.join(*parts)


def write_content(chunks, content, path, size):
    """Writes a file; where something of it cannot be made again, FILE.partial and the plain bytes beside it. Says how many gaps."""
    gaps, part = [], path + b".partial"
    with open(part, "xb") as file:
        for piece in content_bytes(chunks, content):
            if isinstance(piece, Gap):
                gaps.append((file.tell(), piece))
                file.seek(piece.size, 1)
            else:
                file.write(piece)
        file.truncate(file.tell())
        check(size is None or file.tell() == size, f"length of {path!r}")
    if not gaps:
        os.rename(part, path)
    for number, (at, gap) in enumerate(gaps, 1):
        say(f"{os.fsdecode(path)}.partial: bytes {at} to {at + gap.size} are not here: a stream {gap.why}")
        if gap.plain is not None:
            with open(path + b".plain-%d" % number, "xb") as file:
                file.write(gap.plain)
    return len(gaps)


def dress(path, metadata, is_link=False):
    mode, uid, gid, mtime, attributes = metadata
    if os.geteuid() == 0:
        os.chown(path, uid, gid, follow_symlinks=False)
    if not is_link:
        os.chmod(path, mode & 0o7777)
    for name, value in attributes:
        try:
            os.setxattr(path, name, value, follow_symlinks=False)
        except OSError as error:
            say(f"{os.fsdecode(path)}: attribute {os.fsdecode(name)}: {error.strerror}")
    os.utime(path, ns=(mtime, mtime), follow_symlinks=False)


def extract_folder(chunks, top, entries):
    gaps, folders, kinds = 0, [], {b"": 1}
    for path, metadata, tag, value in entries:
        parent = path.rpartition(b"/")[0]
        check(kinds.get(parent) == 1 and path not in kinds, f"the place of {path!r}")
        kinds[path], to = tag, os.path.join(top, safe(path))
        if tag == 0:
            made = write_content(chunks, value, to, None)
            gaps += made
            to += b".partial" if made else b""
        elif tag == 1:
            os.mkdir(to, 0o700)
            folders.append((to, metadata))
            continue
        elif tag == 2:
            os.symlink(value, to)
        elif tag == 3:
            check(kinds.get(value, 1) != 1, f"a hard link to {value!r}")
            os.link(os.path.join(top, safe(value)), to, follow_symlinks=False)
            continue
        else:
            os.mknod(to, {4: 0o010600, 5: 0o020600, 6: 0o060600}[tag], value or 0)
        dress(to, metadata, is_link=tag == 2)
    for to, metadata in reversed(folders):
        dress(to, metadata)
    return gaps


def say(text):
    print(text, file=sys.stderr)


def show(text):
    print("".join(c if c.isprintable() else "?" for c in os.fsencode(text).decode(errors="replace")))


def main(words):
    if len(words) < 2 or words[0] not in ("verify", "list", "extract") or (words[0] == "extract" and len(words) < 3):
        say(__doc__)
        return 2
    command, paths, to = words[0], words[1:], None
    if command == "extract":
        paths, to = paths[:-1], os.fsencode(paths[-1])
        check(not os.path.lexists(to), f"{os.fsdecode(to)}: is there already")
    gaps, chunks = 0, Chunks()
    for one, (releases, frames, _) in in_order(sets_in(paths)):
        show(f"set {one.id.hex()}: {one.title}, {one.K} data volumes and {one.M} spares, made by {one.by}")
        for line in one.signers():
            show("  " + line)
        lacks = one.missing()
        for volume, count in lacks.items():
            say(f"volume {volume} of {one.K + one.M}: {count} of {one.B} blocks are missing or damaged")
        check(not lacks, "the set is not whole: carryall can heal it, this reader cannot")
        if frames and frames[0][3]:
            name = os.path.join(to, b"sealed.age") if to else os.devnull
            if to:
                os.makedirs(to, exist_ok=True)
            with open(name, "wb") as file:
                for (stored, plain, count, seal), frame in zip(frames, one.frames(frame[0] for frame in frames)):
                    check(frame[24:56] == seal, "a piece other than the catalog says")
                    for _, piece in chunks_of(frame, chunks):
                        file.write(piece)
            show(f"sealed: `age -d` of {os.fsdecode(name)} gives a bare bundle" if to else "sealed")
            continue
        for (stored, plain, count, _), frame in zip(frames, one.frames(frame[0] for frame in frames)):
            found = list(chunks_of(frame, chunks))
            check((len(found), sum(len(chunk) for _, chunk in found)) == (count, plain), "a frame other than the catalog says")
            for digest, chunk in found:
                chunks.add(digest, chunk)
        for name, body, _ in releases:
            said, manifest, count, size = read_root(body)
            check(said == name, "the name of a release")
            items = [read_item(record) for record in chunks.records(manifest)]
            check(len(items) == count, "how many items there are")
            show(f"release {name}: {count} items, {size} bytes")
            folder = os.path.join(to, os.fsencode(name.replace("/", "_"))) if to else None
            if folder:
                os.makedirs(folder)
            for item, metadata, tag, value in items:
                check(b"/" not in item, f"an item such as {item!r}")
                path = os.path.join(folder, safe(item)) if folder else safe(item)
                if command == "list":
                    show("  " + os.fsdecode(item))
                entries = [read_entry(record) for record in chunks.records(value[0])] if tag == 1 else []
                if command == "list":
                    for entry, _, kind, target in entries:
                        arrow = " -> " + os.fsdecode(target) if kind in (2, 3) else ""
                        show("  " + os.fsdecode(item + b"/" + entry) + ("/" if kind == 1 else arrow))
                elif folder and tag == 0:
                    made = write_content(chunks, value, path, None)
                    gaps += made
                    dress(path + (b".partial" if made else b""), metadata)
                elif folder:
                    os.mkdir(path, 0o700)
                    gaps += extract_folder(chunks, path, entries)
                    dress(path, metadata)
                else:
                    for content in [value] if tag == 0 else [entry[3] for entry in entries if entry[2] == 0]:
                        for piece in content_bytes(chunks, content):
                            if isinstance(piece, Gap):
                                say(f"{os.fsdecode(item)}: {piece.size} bytes of a stream {piece.why}: not compared")
                                gaps += 1
    show("whole" if not gaps else f"whole, but {gaps} streams were not made again")
    return 3 if gaps else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Unreadable, OSError, ValueError, IndexError, KeyError, StopIteration, struct.error, lzma.LZMAError,
            zstandard.ZstdError) as error:
        say(f"error: {error or type(error).__name__}")
        sys.exit(1)
