//! What is in a datagram: a log line as RFC 3164 has it and nginx writes it, or the bare line that a site sends itself.

/// The JSON in `<190>Nov 24 03:15:00 web1 nginx: {...}`, or the datagram where it begins with a brace; else `None`.
///
/// Host and tag have no brace in them, so nothing need be known of how many words the header has: with nginx's
/// `nohostname` it has one less.
pub fn of(datagram: &[u8]) -> Option<&[u8]> {
    let header = match datagram {
        [b'{', ..] => datagram,
        [b'<', rest @ ..] => {
            let end = rest.iter().take(4).position(|byte| *byte == b'>')?;
            let is_priority = end > 0 && rest[..end].iter().all(u8::is_ascii_digit);
            is_priority.then_some(&rest[end + 1..])?
        }
        _ => return None,
    };
    let message = header[memchr::memchr(b'{', header)?..].trim_ascii_end();
    // Some senders end what they send as a line, and some as a string.
    Some(message.strip_suffix(b"\0").unwrap_or(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_header_is_the_message() {
        for header in
            ["<190>Nov 24 03:15:00 web1 nginx: ", "<190>Nov  4 03:15:00 nginx: ", "<6>", "<190>1 2026 - - ", ""]
        {
            let datagram = format!("{header}{{\"user\":\"{{\"}}");
            assert_eq!(of(datagram.as_bytes()), Some(&b"{\"user\":\"{\"}"[..]), "{header}");
            assert_eq!(of(format!("{datagram}\n").as_bytes()), of(datagram.as_bytes()));
        }
        for datagram in ["", "<", "<>", "<>{}", "<190", "<190>", "<19x>{}", "<11111>{}", "x {}", "<190>no message"] {
            assert_eq!(of(datagram.as_bytes()), None, "{datagram}");
        }
    }
}
