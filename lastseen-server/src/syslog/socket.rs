//! The sockets that datagrams come by: UDP with a list of who may send, or one in the file system.

use std::fs;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use socket2::SockRef;
use tokio::net::{UdpSocket, UnixDatagram};

use super::drops;
use crate::Failure;
use crate::settings::SyslogAddress;

/// Room for some ten thousand lines. The system gives as much of it as `net.core.rmem_max` allows.
const QUEUE: usize = 8 << 20;

/// Owner and group may send. The group is the directory's where that has its setgid bit, or else the process's.
const MODE: u32 = 0o660;

#[derive(Debug)]
pub(super) enum Socket {
    Udp {
        socket: UdpSocket,
        from: Vec<IpNet>,
    },
    /// Its file goes with it.
    Unix {
        socket: UnixDatagram,
        path: PathBuf,
    },
}

/// What has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datagram<'a> {
    From(&'a [u8]),
    /// From somebody who may not send.
    Stranger,
}

impl Socket {
    pub(super) fn udp(address: SocketAddr, from: Vec<IpNet>) -> Result<Self, Failure> {
        let bind = || {
            let socket = std::net::UdpSocket::bind(address)?;
            socket.set_nonblocking(true)?;
            UdpSocket::from_std(socket)
        };
        let socket = bind().map_err(|error| cannot_bind(&SyslogAddress::Udp(address), &error))?;
        enlarge(&SockRef::from(&socket));
        Ok(Self::Udp { socket, from })
    }

    pub(super) fn unix(path: &Path) -> Result<Self, Failure> {
        let address = SyslogAddress::Unix(path.to_owned());
        let cannot = |error: io::Error| cannot_bind(&address, &error);
        remove_stale(path).map_err(cannot)?;
        let socket = UnixDatagram::bind(path).map_err(cannot)?;
        let socket = Self::Unix { socket, path: path.to_owned() };
        // Before this it has the mode that the umask leaves, which is less as a rule.
        fs::set_permissions(path, fs::Permissions::from_mode(MODE)).map_err(cannot)?;
        Ok(socket)
    }

    /// The next datagram, if one has arrived.
    pub(super) fn receive<'a>(&self, buffer: &'a mut [u8]) -> Option<Datagram<'a>> {
        // What a socket without a peer can fail at is news of somebody who has gone.
        match self {
            Self::Udp { socket, from } => {
                let (length, sender) = socket.try_recv_from(buffer).ok()?;
                let sender = sender.ip().to_canonical();
                let may = from.iter().any(|network| network.contains(&sender));
                Some(if may { Datagram::From(&buffer[..length]) } else { Datagram::Stranger })
            }
            Self::Unix { socket, .. } => {
                let length = socket.try_recv(buffer).ok()?;
                Some(Datagram::From(&buffer[..length]))
            }
        }
    }

    /// Returns once there is something to receive.
    pub(super) async fn readable(&self) {
        let outcome = match self {
            Self::Udp { socket, .. } => socket.readable().await,
            Self::Unix { socket, .. } => socket.readable().await,
        };
        if let Err(error) = outcome {
            // It doesn't happen while the runtime lives.
            tracing::error!(%error, "can't wait for syslog datagrams");
            std::future::pending::<()>().await;
        }
    }

    pub(super) fn address(&self) -> SyslogAddress {
        match self {
            Self::Udp { socket, .. } => socket.local_addr().map_or(SyslogAddress::Off, SyslogAddress::Udp),
            Self::Unix { path, .. } => SyslogAddress::Unix(path.clone()),
        }
    }

    /// Whether many datagrams find room in its queue. A socket in the file system has room for ten, as a rule.
    pub(super) const fn has_long_queue(&self) -> bool {
        matches!(self, Self::Udp { .. })
    }

    /// How many datagrams the kernel has dropped; `None` where it doesn't tell. To a socket in the file system the sender
    /// can't send where there is no room, and knows.
    pub(super) fn dropped(&self) -> Option<u64> {
        match self {
            Self::Udp { socket, .. } => drops::of(socket),
            Self::Unix { .. } => None,
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Self::Unix { path, .. } = self {
            let _ = fs::remove_file(path);
        }
    }
}

fn enlarge(socket: &SockRef<'_>) {
    if let Err(error) = socket.set_recv_buffer_size(QUEUE) {
        tracing::warn!(%error, "the queue for syslog datagrams keeps its usual size");
    }
}

/// Removes the file of a socket whose process has ended, and nothing else.
fn remove_stale(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            Err(io::Error::new(ErrorKind::AlreadyExists, "there is a file of that name that is no socket"))
        }
        Ok(_) => {
            let socket = std::os::unix::net::UnixDatagram::unbound()?;
            match socket.connect(path) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path),
                Err(error) => Err(error),
                Ok(()) => Err(ErrorKind::AddrInUse.into()),
            }
        }
    }
}

fn cannot_bind(address: &SyslogAddress, error: &io::Error) -> Failure {
    Failure::runtime(match error.kind() {
        ErrorKind::AddrInUse => {
            format!("{address} is in use by another program: end it, or choose another address with --syslog")
        }
        _ => format!("can't take syslog at {address}: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_those_listed_may_send_by_udp() {
        let from = |networks: &[&str]| networks.iter().map(|network| network.parse().unwrap()).collect();
        for (networks, may) in [(&["127.0.0.0/8"][..], true), (&["10.0.0.0/8", "::/0"], false), (&[], false)] {
            let socket = Socket::udp("127.0.0.1:0".parse().unwrap(), from(networks)).unwrap();
            let SyslogAddress::Udp(address) = socket.address() else { panic!("{socket:?}") };
            let sender = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            sender.send_to(b"hello", address).await.unwrap();
            socket.readable().await;
            let expected = if may { Datagram::From(b"hello") } else { Datagram::Stranger };
            assert_eq!(socket.receive(&mut [0; 16]), Some(expected));
            assert_eq!(socket.receive(&mut [0; 16]), None);
        }
    }

    #[tokio::test]
    async fn a_socket_in_the_file_system_is_for_owner_and_group_and_goes_with_its_process() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("syslog");
        let socket = Socket::unix(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        let sender = UnixDatagram::unbound().unwrap();
        sender.send_to(b"hello", &path).await.unwrap();
        socket.readable().await;
        assert_eq!(socket.receive(&mut [0; 16]), Some(Datagram::From(b"hello")));
        drop(socket);
        assert!(!path.exists());
    }

    #[tokio::test]
    async fn a_stale_socket_gives_way_and_nothing_else_does() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("syslog");
        // Its process ended without removing it.
        drop(std::os::unix::net::UnixDatagram::bind(&path).unwrap());
        let socket = Socket::unix(&path).unwrap();
        let refused = Socket::unix(&path).unwrap_err().to_string();
        assert!(refused.contains("in use") && refused.contains("syslog"), "{refused}");
        drop(socket);
        fs::write(&path, "precious").unwrap();
        let refused = Socket::unix(&path).unwrap_err().to_string();
        assert!(refused.contains("no socket"), "{refused}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        let refused = Socket::unix(&place.path().join("no/such/place")).unwrap_err().to_string();
        assert!(refused.contains("no/such/place"), "{refused}");
    }
}
