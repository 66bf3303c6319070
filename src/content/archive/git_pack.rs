//! Headers of git's packs and of the objects in them.
//!
//! Deltas among the objects are not applied: an object is the stream behind its header.

/// Bytes of a pack's header: the magic, the version and the number of objects.
pub(crate) const PACK_HEADER_BYTES: usize = 12;
/// Bytes of the hash at the end.
pub(crate) const PACK_HASH_BYTES: u64 = 20;
/// Most bytes of an object's header.
pub(crate) const OBJECT_HEADER_BYTES_MAX: usize = 10 + 20;

/// Returns the number of objects of the pack that begins with these bytes, or `None` when none does.
pub(crate) fn objects(head: &[u8]) -> Option<u32> {
    let head: &[u8; PACK_HEADER_BYTES] = head.first_chunk()?;
    let is_known = head.starts_with(b"PACK\0\0\0") && matches!(head[7], 2 | 3);
    is_known.then(|| u32::from_be_bytes([head[8], head[9], head[10], head[11]]))
}

/// Returns the length of the object's header that begins with these bytes, or `None` when none does.
pub(crate) fn object_header_bytes(head: &[u8]) -> Option<usize> {
    let kind = head.first()? >> 4 & 7;
    let own = number_bytes(head)?;
    match kind {
        1..=4 => Some(own),
        // The base stands so many bytes before.
        6 => Some(own + number_bytes(&head[own..])?),
        // The base is named by its hash.
        7 => Some(own + usize::try_from(PACK_HASH_BYTES).ok()?).filter(|all| *all <= head.len()),
        _ => None,
    }
}

/// Returns the length of a number of which each byte but the last one has its highest bit set.
fn number_bytes(bytes: &[u8]) -> Option<usize> {
    let last = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)?;
    Some(last + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_say_where_streams_begin() {
        assert_eq!(objects(b"PACK\0\0\0\x02\0\0\x01\x05"), Some(261));
        assert_eq!(objects(b"PACK\0\0\0\x04\0\0\x01\x05"), None);
        assert_eq!(objects(b"PACK\0\0\0\x02\0\0\x01"), None);
        assert_eq!(object_header_bytes(&[0x35, 1]), Some(1));
        assert_eq!(object_header_bytes(&[0x95, 0x80, 1, 9]), Some(3));
        assert_eq!(object_header_bytes(&[0xe5, 1, 0x80, 7, 9]), Some(4));
        assert_eq!(object_header_bytes(&[0x75; 30]), Some(21));
        assert_eq!(object_header_bytes(&[0x75; 20]), None);
        assert_eq!(object_header_bytes(&[0x05, 1]), None);
        assert_eq!(object_header_bytes(&[0x95; 30]), None);
        assert_eq!(object_header_bytes(&[]), None);
    }
}
