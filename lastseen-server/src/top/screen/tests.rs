use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::super::look::Numbers;
use super::*;

/// A look at this second, at so many of `Ada 1`, `Ada 2` and so on, each seen a second before the last.
fn look(second: u64, users: u32, touches: u64) -> Look {
    let at = |second: u64| format!("2026-11-24T03:{:02}:{:02}Z", second / 60, second % 60);
    let user = |number: u32| {
        serde_json::json!({
            "user": format!("u{number}"),
            "name": if number == 3 { "\u{1b}[2JEve\u{202e}".to_owned() } else { format!("Ada {number}") },
            "last_activity_date": at(second.saturating_sub(u64::from(number))),
            "last_activity_ip": (number != 2).then(|| format!("203.0.113.{number}")),
        })
    };
    let online = serde_json::json!({
        "as_of": at(second),
        "window_seconds": 900,
        "count": users + 1_000,
        "users": (1..=users).map(user).collect::<Vec<_>>(),
    });
    Look {
        online: serde_json::from_value(online).unwrap(),
        trouble: None,
        numbers: Numbers { touches, event_clients: 3, ..Numbers::default() },
        is_server: true,
    }
}

fn screen() -> Screen {
    Screen::of("http://127.0.0.1:7700".to_owned())
}

/// What a terminal of this size shows, a text a line.
fn shown(screen: &mut Screen, width: u16, height: u16) -> Vec<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| screen.draw(frame)).unwrap();
    let cells = terminal.backend().buffer().content();
    let lines = cells.chunks(width.into());
    lines.map(|line| line.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()).collect()
}

fn press(screen: &mut Screen, keys: &str) {
    for letter in keys.chars() {
        assert_eq!(screen.press(KeyCode::Char(letter).into()), Then::GoOn, "{keys}");
    }
}

#[test]
fn it_shows_how_many_how_much_who_and_how_the_store_does() {
    let mut screen = screen();
    assert_eq!(shown(&mut screen, 80, 6)[0], "looking at http://127.0.0.1:7700");
    screen.take(Ok(look(120, 3, 5_000)));
    screen.take(Ok(look(122, 3, 7_468)));
    let lines = shown(&mut screen, 90, 10);
    assert_eq!(
        lines,
        [
            "1,003 online within the last 15 minutes                http://127.0.0.1:7700  03:02:02 UTC",
            "touches a second: 1,234, event clients: 3         \u{2588}",
            "ready; all written just now, others' read just now, 0 pending",
            "",
            "USER                   NAME                             ADDRESS                LAST SEEN",
            "u1                     Ada 1                            203.0.113.1            just now",
            "u2                     Ada 2                                                   just now",
            "u3                     \u{fffd}[2JEve\u{fffd}                         203.0.113.3            just now",
            "",
            "q quit  / search  \u{2191}\u{2193} scroll  1-3 of the newest 3",
        ],
        "{lines:#?}"
    );
}

#[test]
fn keys_scroll_search_and_leave() {
    let mut screen = screen();
    screen.take(Ok(look(120, 30, 0)));
    let first = |screen: &mut Screen| shown(screen, 80, 16)[5].split(' ').next().unwrap().to_owned();
    assert_eq!(first(&mut screen), "u1");
    for (key, expected) in [
        (KeyCode::Down, "u2"),
        (KeyCode::Down, "u3"),
        (KeyCode::Up, "u2"),
        (KeyCode::PageDown, "u12"),
        (KeyCode::End, "u21"),
        (KeyCode::Down, "u21"),
        (KeyCode::PageUp, "u11"),
        (KeyCode::Home, "u1"),
        (KeyCode::Up, "u1"),
    ] {
        assert_eq!(screen.press(key.into()), Then::GoOn);
        assert_eq!(first(&mut screen), expected, "{key:?}");
    }
    press(&mut screen, "/ADA 2q");
    assert_eq!((first(&mut screen).as_str(), shown(&mut screen, 80, 16).pop().unwrap().as_str()), ("", "/ADA 2q"));
    screen.press(KeyCode::Backspace.into());
    screen.press(KeyCode::Enter.into());
    assert_eq!(first(&mut screen), "u2", "whatever the case, and so are those from 20 up");
    assert!(shown(&mut screen, 80, 16).pop().unwrap().contains("1-10 of 11 with \"ADA 2\""));
    screen.press(KeyCode::Esc.into());
    assert_eq!(first(&mut screen), "u1");
    press(&mut screen, "/.113.30");
    assert_eq!(first(&mut screen), "u30", "by address too");
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(screen.press(interrupt), Then::Leave);
    screen.press(KeyCode::Esc.into());
    assert_eq!(screen.press(KeyCode::Char('q').into()), Then::Leave);
}

#[test]
fn a_store_that_fails_leaves_it_open_who_else_is_online() {
    let mut screen = screen();
    screen.take(Ok(Look { trouble: Some("the store does not answer".to_owned()), ..look(120, 2, 5_000) }));
    let lines = shown(&mut screen, 100, 8);
    assert!(lines[0].starts_with("1,002 known to be online within the last 15 minutes "), "{lines:?}");
    assert!(lines[2].starts_with("the store does not answer; "), "{lines:?}");
}

#[test]
fn a_server_that_fails_is_told_of_and_what_was_known_stays() {
    let mut screen = screen();
    screen.take(Ok(look(120, 2, 5_000)));
    screen.take(Err(Failure::runtime("no answer from http://127.0.0.1:7700: \u{1b}refused")));
    let lines = shown(&mut screen, 80, 8);
    assert_eq!(lines[2], "no answer from http://127.0.0.1:7700: \u{fffd}refused");
    assert!(lines[5].starts_with("u1 "), "{lines:?}");
    // One that was started anew has counted less; that is no rate.
    screen.take(Ok(Look { trouble: Some("still reading".to_owned()), ..look(125, 2, 10) }));
    let lines = shown(&mut screen, 80, 8);
    assert!(lines[1].starts_with("touches a second: ...") && lines[2].starts_with("still reading;"), "{lines:?}");
}

#[test]
fn a_window_of_any_size_is_no_trouble() {
    let mut screen = screen();
    screen.take(Ok(look(120, 30, 0)));
    for (width, height) in [(0, 0), (1, 1), (20, 3), (7, 40), (300, 5)] {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| screen.draw(frame)).unwrap();
        screen.press(KeyCode::End.into());
    }
    // When it grows, the list fills it.
    assert!(shown(&mut screen, 80, 36)[5].starts_with("u1 "));
}

#[test]
fn a_store_alone_tells_of_no_touches() {
    let mut screen = screen();
    screen.take(Ok(Look { is_server: false, ..look(120, 1, 0) }));
    assert_eq!(shown(&mut screen, 80, 8)[1], "touches are counted by a server: see --server");
}
