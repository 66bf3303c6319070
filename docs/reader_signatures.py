"""Signatures of volume sets, for reader.py: section "Signatures" of docs/format.md. It shares no code with carryall.

Ed25519 is written out after RFC 8032, section 6, and SM2 after GM/T 0003.2. Both are slow: some ten milliseconds a signature. They
check and cannot sign. SM3 is that of Python's OpenSSL.
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


# The curve of SM2: its prime, coefficients, number of points, and the point that all start from.
SM2_P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
SM2_A = SM2_P - 3
SM2_B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
SM2_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
SM2_BASE = (0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
            0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0)
SM2_SIGNER = b"1234567812345678"


def sm3(data):
    return hashlib.new("sm3", data).digest()


def sm2_add(one, other):
    if one is None or other is None:
        return one or other
    if one[0] == other[0]:
        if (one[1] + other[1]) % SM2_P == 0:
            return None
        slope = (3 * one[0] * one[0] + SM2_A) * pow(2 * one[1], -1, SM2_P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, SM2_P)
    x = (slope * slope - one[0] - other[0]) % SM2_P
    return x, (slope * (one[0] - x) - one[1]) % SM2_P


def sm2_times(factor, point):
    total = None
    while factor:
        if factor & 1:
            total = sm2_add(total, point)
        point, factor = sm2_add(point, point), factor >> 1
    return total


def is_signed_sm2(key, message, signature):
    """`key` is the uncompressed point, `signature` r and s, 32 bytes each, big-endian."""
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    on_curve = key[0] == 4 and max(x, y) < SM2_P and (y * y - x * x * x - SM2_A * x - SM2_B) % SM2_P == 0
    if not on_curve or not 0 < r < SM2_ORDER or not 0 < s < SM2_ORDER or (r + s) % SM2_ORDER == 0:
        return False
    numbers = b"".join(n.to_bytes(32, "big") for n in (SM2_A, SM2_B, *SM2_BASE))
    signer = sm3((8 * len(SM2_SIGNER)).to_bytes(2, "big") + SM2_SIGNER + numbers + key[1:])
    point = sm2_add(sm2_times(s, SM2_BASE), sm2_times((r + s) % SM2_ORDER, (x, y)))
    return point is not None and (int.from_bytes(sm3(signer + message), "big") + point[0] - r) % SM2_ORDER == 0


def parts(text):
    """Of the four lines of a signature: what the second and the fourth stand for, and the comment."""
    lines = text.decode().splitlines()
    check(len(lines) == 4 and lines[2].startswith("trusted comment: "), "the lines of a signature")
    return base64.b64decode(lines[1]), base64.b64decode(lines[3]), lines[2][17:]


def sm2(key, text, message):
    """The key's id and the comment that was signed with it; None when the signature is wrong."""
    line, whole, comment = parts(text)
    number = sm3(key[10:])[:8]
    if key[:10] != b"S2" + number or len(key) != 75 or len(line) != 74 or len(whole) != 64 or line[:10] != b"SM" + number:
        return None
    if is_signed_sm2(key[10:], message, line[10:]) and is_signed_sm2(key[10:], line[10:] + comment.encode(), whole):
        return number[::-1].hex().upper(), comment
    return None


def minisign(key, text, message):
    """The key's id and the comment that was signed with it; None when the signature is wrong."""
    line, whole, comment = parts(text)
    if key[:2] != b"Ed" or len(key) != 42 or len(line) != 74 or len(whole) != 64 or line[:2] != b"ED" or line[2:10] != key[2:10]:
        return None
    hashed = hashlib.blake2b(message).digest()
    if is_signed(key[10:], hashed, line[10:]) and is_signed(key[10:], line[10:] + comment.encode(), whole):
        return key[2:10][::-1].hex().upper(), comment
    return None


def statement(set_id, root, title):
    shown = "".join("?" if c < " " or "\x7f" <= c < "\xa0" else c for c in title.strip()[:200])
    return f"carryall volume set, statement 1\nset: {set_id.hex()}\nblake3: {root.hex()}\ntitle: {shown}\n".encode()


ALGORITHMS = {1: minisign, 2: sm2}


def signers(records, message):
    """A line for each signature of a list: algorithm, key, text."""
    for algorithm, key, text in records:
        if algorithm not in ALGORITHMS:
            yield f"a signature by algorithm {algorithm}, which this reader does not know"
            continue
        found = ALGORITHMS[algorithm](key, text, message)
        yield f"signed with key {found[0]}: {found[1]}" if found else "a signature that is wrong"
