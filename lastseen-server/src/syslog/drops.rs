//! How many datagrams the kernel has dropped for want of room in a UDP socket's queue, as Linux tells.

use std::fs;
use std::os::fd::AsRawFd;

/// Of this socket; `None` where the system doesn't tell.
pub(super) fn of(socket: &impl AsRawFd) -> Option<u64> {
    let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok()?;
    let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
    ["/proc/net/udp", "/proc/net/udp6"].into_iter().find_map(|table| in_table(&fs::read_to_string(table).ok()?, inode))
}

/// The tenth column is the inode, the last one the drops.
fn in_table(table: &str, inode: &str) -> Option<u64> {
    let mut rows = table.lines().map(|line| line.split_ascii_whitespace());
    rows.find_map(|mut row| (row.nth(9)? == inode).then(|| row.next_back()?.parse().ok())?)
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;

    #[test]
    fn what_finds_no_room_is_counted() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let socket = UdpSocket::bind(address).unwrap();
            assert_eq!(of(&socket), Some(0));
            let sender = UdpSocket::bind(address).unwrap();
            sender.connect(socket.local_addr().unwrap()).unwrap();
            let mut sent = 0;
            while of(&socket) == Some(0) {
                sender.send(&[0; 1000]).unwrap();
                sent += 1;
            }
            socket.set_nonblocking(true).unwrap();
            let mut buffer = [0; 1000];
            let arrived = std::iter::from_fn(|| socket.recv(&mut buffer).ok()).count();
            assert_eq!(of(&socket), Some(sent - u64::try_from(arrived).unwrap()));
        }
    }
}
