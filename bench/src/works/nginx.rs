//! nginx that reports its requests by log lines, beside the same nginx that doesn't.

use std::error::Error;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::thread;

use super::Rows;
use crate::options::{Extent, Options, ServerKind};
use crate::population::{Ids, Pick, Population};
use crate::server::{self, Server, free_port};
use crate::site::{Site, beside};

/// With the least ratio that each is to reach, and what of docs/nginx.md it has. A session is a cookie here, and so is who.
const WORKS: [(&str, Option<f64>, &str); 2] = [
    (
        "nginx, an answer with a line once in 10 s",
        Some(0.97),
        "limit_req_zone $cookie_user zone=lastseen:10m rate=6r/m;\nlimit_req_log_level info;\n\
         limit_req zone=lastseen;\nlimit_req_dry_run on;\n\
         map \"$limit_req_status $cookie_user\" $lastseen_reports { \"~^PASSED .\" 1; default \"\"; }\n",
    ),
    ("nginx, an answer with a line each", None, "map $cookie_user $lastseen_reports { default $cookie_user; }\n"),
];

const LOG_FORMAT: &str = "log_format lastseen escape=json '{\"user\":\"$cookie_user\",\"ip\":\"$remote_addr\",\
    \"method\":\"$request_method\",\"uri\":\"$request_uri\",\"status\":\"$status\",\"time\":\"$msec\"}';\n";

/// Fails where nginx isn't installed and is to be measured.
pub fn check(options: &Options) -> Result<(), Box<dyn Error>> {
    if WORKS.iter().any(|(work, ..)| wants(options, work)) { server::check_nginx().map(drop) } else { Ok(()) }
}

pub fn run(options: &Options, rows: &mut Rows) -> Result<(), Box<dyn Error>> {
    // Many short rounds: what a processor takes for the kernel's part of a request differs from second to second.
    let (rounds, requests) = match options.extent() {
        Extent::Quick => (15, 2_000),
        Extent::Usual | Extent::Full => (151, 4_000),
    };
    let population = Population { ids: Ids::Decimal, users: 1_000 };
    for (work, goal, settings) in WORKS.into_iter().filter(|(work, ..)| wants(options, work)) {
        let (mut reporting, mut plain) = (nginx(&reports(settings, read_lines()?))?, nginx("")?);
        let outcome = beside(rounds, &mut reporting, &mut plain, |round| {
            population.requests(Pick::Uniform, requests, round).iter().map(|(id, _)| request(id)).collect()
        });
        rows.push_requests(work, population.users, "nginx that reports nothing", &outcome, goal);
        let version = server::check_nginx()?;
        if !rows.versions.contains(&version) {
            rows.versions.push(version);
        }
    }
    Ok(())
}

fn wants(options: &Options, work: &str) -> bool {
    options.wants(work) && !options.without.contains(&ServerKind::Nginx)
}

fn reports(settings: &str, syslog: SocketAddr) -> String {
    format!("{LOG_FORMAT}{settings}access_log syslog:server={syslog} lastseen if=$lastseen_reports;\n")
}

fn request(id: &str) -> String {
    format!("GET /page HTTP/1.1\r\nhost: localhost\r\ncookie: user={id}\r\n\r\n")
}

/// A socket whose lines a thread reads, as the program would.
fn read_lines() -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = socket.local_addr()?;
    thread::spawn(move || {
        let mut line = [0; 1024];
        while socket.recv(&mut line).is_ok() {}
    });
    Ok(address)
}

/// One that answers with five bytes and keeps a log of its own.
fn nginx(settings: &str) -> Result<Site, Box<dyn Error>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let mut server = Server::nginx(|folder| configuration(folder, address, settings))?;
    server.connect(|folder| {
        fs::write(folder.join("page"), "hello")?;
        TcpStream::connect(address)
    })?;
    Ok(Site::at(address, move || server.worked().expect("nginx runs"))?)
}

fn configuration(folder: &Path, address: SocketAddr, settings: &str) -> String {
    let folder = folder.display();
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log stderr;\nevents {{ }}\nhttp {{\n\
         client_body_temp_path {folder}/body;\nproxy_temp_path {folder}/proxy;\nfastcgi_temp_path {folder}/fastcgi;\n\
         uwsgi_temp_path {folder}/uwsgi;\nscgi_temp_path {folder}/scgi;\n\
         keepalive_requests 1000000000;\nkeepalive_timeout 1h;\naccess_log {folder}/access.log;\n{settings}\
         server {{\nlisten {address};\nroot {folder};\n}}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn nginx_reports_as_often_as_the_rows_say() {
        for ((work, _, settings), expected) in WORKS.into_iter().zip([&["1", "2", "9"][..], &["1", "1", "2", "1", "9"]])
        {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            let mut site = nginx(&reports(settings, socket.local_addr().unwrap())).unwrap();
            let mut worked = Vec::new();
            for id in ["1", "1", "2", "1", "9"] {
                site.load(&[request(id)], &mut worked);
            }
            assert!(worked.iter().sum::<f64>() > 0.0);
            let mut users = Vec::new();
            let mut line = [0; 1024];
            while users.last().is_none_or(|user| user != "9") {
                let length = socket.recv(&mut line).expect(work);
                let text = String::from_utf8_lossy(&line[..length]).into_owned();
                let json = serde_json::from_str::<serde_json::Value>(&text[text.find('{').unwrap()..]).unwrap();
                users.push(json["user"].as_str().unwrap().to_owned());
            }
            assert_eq!(users, expected, "{work}");
        }
    }
}
