"""Signatures of volume sets, for reader.py: section "Signatures" of docs/format.md. It shares no code with carryall.

Ed25519 is written out after RFC 8032, section 6, and is slow: a few milliseconds a signature. It checks and cannot sign.
"""
import base64, hashlib
from reader_deflate import check

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def add(one, other):
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f, g * h, f * g, e * h


def times(factor, point):
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def decoded(data):
    """The point of 32 bytes; None when they are none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(key, message, signature):
    point, first, factor = decoded(key), decoded(signature[:32]), int.from_bytes(signature[32:], "little")
    if point is None or first is None or factor >= ORDER:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % ORDER
    left, right = times(factor, BASE), add(first, times(h, point))
    return not ((left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P)


def minisign(key, text, message):
    """The key's id and the comment that was signed with it; None when the signature is wrong."""
    lines = text.decode().splitlines()
    check(len(lines) == 4 and lines[2].startswith("trusted comment: "), "the lines of a signature")
    line, comment, whole = base64.b64decode(lines[1]), lines[2][17:], base64.b64decode(lines[3])
    if key[:2] != b"Ed" or len(key) != 42 or len(line) != 74 or len(whole) != 64 or line[:2] != b"ED" or line[2:10] != key[2:10]:
        return None
    hashed = hashlib.blake2b(message).digest()
    if is_signed(key[10:], hashed, line[10:]) and is_signed(key[10:], line[10:] + comment.encode(), whole):
        return key[2:10][::-1].hex().upper(), comment
    return None


def statement(set_id, root, title):
    shown = "".join("?" if c < " " or "\x7f" <= c < "\xa0" else c for c in title.strip()[:200])
    return f"carryall volume set, statement 1\nset: {set_id.hex()}\nblake3: {root.hex()}\ntitle: {shown}\n".encode()


def signers(records, message):
    """A line for each signature of a list: algorithm, key, text."""
    for algorithm, key, text in records:
        if algorithm != 1:
            yield f"a signature by algorithm {algorithm}, which this reader does not know"
            continue
        found = minisign(key, text, message)
        yield f"signed with key {found[0]}: {found[1]}" if found else "a signature that is wrong"
