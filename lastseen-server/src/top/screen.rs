//! What the terminal shows, and what keys do to it: no terminal and no clock are in it.

use std::collections::VecDeque;
use std::net::IpAddr;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Row, Sparkline, Table};

use super::look::Look;
use crate::Failure;
use crate::api::OnlineUserAnswer;
use crate::words::{self, plain};

/// How many rates are drawn.
const RATES: usize = 60;

pub(super) struct Screen {
    /// What is looked at.
    place: String,
    look: Option<Look>,
    /// Why the last look failed, if it did. What is shown is then the one before.
    failure: Option<String>,
    /// Touches a second between two looks, the newest last.
    rates: VecDeque<u64>,
    /// What is looked for; all are listed where it is empty.
    search: String,
    is_typing: bool,
    /// How many lines of the list lie above what is shown.
    above: usize,
    /// How many lines of the list there was room for.
    room: usize,
}

/// What a key leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Leave,
}

impl Screen {
    pub(super) fn of(place: String) -> Self {
        Self {
            place,
            look: None,
            failure: None,
            rates: VecDeque::new(),
            search: String::new(),
            is_typing: false,
            above: 0,
            room: 0,
        }
    }

    pub(super) fn take(&mut self, look: Result<Look, Failure>) {
        match look {
            Ok(look) => {
                if let Some(rate) = self.look.as_ref().and_then(|before| rate(before, &look)) {
                    self.rates.push_back(rate);
                    self.rates.drain(..self.rates.len().saturating_sub(RATES));
                }
                self.look = Some(look);
                self.failure = None;
            }
            Err(failure) => self.failure = Some(plain(&failure.to_string())),
        }
    }

    pub(super) fn press(&mut self, key: KeyEvent) -> Then {
        let listed = self.found().count();
        match key.code {
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Then::Leave,
            KeyCode::Down => self.above += 1,
            KeyCode::Up => self.above = self.above.saturating_sub(1),
            KeyCode::PageDown => self.above += self.room,
            KeyCode::PageUp => self.above = self.above.saturating_sub(self.room),
            KeyCode::Home => self.above = 0,
            KeyCode::End => self.above = listed,
            KeyCode::Esc => {
                (self.is_typing, self.above) = (false, 0);
                self.search.clear();
            }
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Backspace if self.is_typing => {
                self.search.pop();
            }
            KeyCode::Char(letter) if self.is_typing => {
                self.search.push(letter);
                self.above = 0;
            }
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('q') => return Then::Leave,
            _ => {}
        }
        self.above = self.above.min(listed.saturating_sub(self.room));
        Then::GoOn
    }

    /// Those listed in whose id, name or address it occurs that is looked for.
    fn found(&self) -> impl Iterator<Item = &OnlineUserAnswer> {
        let wanted = self.search.to_lowercase();
        let users = self.look.iter().flat_map(|look| &look.online.users);
        users.filter(move |user| {
            let has = |text: &str| text.to_lowercase().contains(&wanted);
            has(user.user.as_str())
                || user.name.as_deref().is_some_and(has)
                || user.last_activity_ip.is_some_and(|ip| has(&ip.to_string()))
        })
    }

    pub(super) fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        let [head, rate, state, _, list, foot] = Layout::vertical([
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Length(1),
            Constraint::Min(0),
            Constraint::Length(1),
        ])
        .areas(area);
        self.draw_head(frame, head);
        self.draw_rate(frame, rate);
        frame.render_widget(self.state(), state);
        self.draw_list(frame, list);
        frame.render_widget(self.foot(), foot);
    }

    fn draw_head(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(look) = &self.look else {
            frame.render_widget(format!("looking at {}", self.place).as_str(), area);
            return;
        };
        let place = Line::from(format!("{}  {}", self.place, words::clock(look.as_of()))).dim().right_aligned();
        let width = u16::try_from(place.width()).unwrap_or(u16::MAX);
        let [left, right] = Layout::horizontal([Constraint::Min(0), Constraint::Max(width)]).spacing(2).areas(area);
        frame.render_widget(Span::from(look.headline()).bold(), left);
        frame.render_widget(place, right);
    }

    fn draw_rate(&self, frame: &mut Frame<'_>, area: Rect) {
        let Some(look) = &self.look else { return };
        if !look.is_server {
            frame.render_widget("touches are counted by a server: see --server", area);
            return;
        }
        let rate = self.rates.back().map_or("...".to_owned(), |rate| words::grouped(*rate));
        let text = format!("touches a second: {rate}, event clients: {}", words::grouped(look.numbers.event_clients));
        let [left, right] = Layout::horizontal([Constraint::Length(48), Constraint::Min(0)]).spacing(2).areas(area);
        frame.render_widget(text.as_str(), left);
        let rates: Vec<_> = self.rates.iter().rev().take(right.width.into()).rev().copied().collect();
        frame.render_widget(Sparkline::default().data(rates).green(), right);
    }

    fn state(&self) -> Line<'static> {
        match (&self.failure, &self.look) {
            (Some(failure), _) => Line::from(failure.clone()).yellow(),
            (None, Some(look)) if look.trouble.is_some() => Line::from(look.state()).yellow(),
            (None, Some(look)) => Line::from(look.state()).green(),
            (None, None) => Line::default(),
        }
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect) {
        self.room = usize::from(area.height.saturating_sub(1));
        // Who was shown may have gone since.
        self.above = self.above.min(self.found().count().saturating_sub(self.room));
        let Some(look) = &self.look else { return };
        let row = |user: &OnlineUserAnswer| {
            Row::new([
                plain(user.user.as_str()),
                plain(user.name.as_deref().unwrap_or_default()),
                user.last_activity_ip.as_ref().map_or_else(String::new, IpAddr::to_string),
                words::ago(look.as_of().since(user.last_activity_date)),
            ])
        };
        let rows = self.found().skip(self.above).take(self.room).map(row);
        let widths = [Constraint::Fill(2), Constraint::Fill(3), Constraint::Fill(2), Constraint::Length(11)];
        let header = Row::new(["USER", "NAME", "ADDRESS", "LAST SEEN"]).style(Style::new().dim());
        frame.render_widget(Table::new(rows, widths).header(header).column_spacing(2), area);
    }

    fn foot(&self) -> Line<'static> {
        if self.is_typing {
            return Line::from(vec![Span::from(format!("/{}", self.search)), Span::from(" ").reversed()]);
        }
        let mut text = "q quit  / search  \u{2191}\u{2193} scroll".to_owned();
        if let Some(look) = &self.look {
            let (found, listed) = (self.found().count(), look.online.users.len());
            let (first, last) = (self.above + usize::from(found > 0), (self.above + self.room).min(found));
            text = match (self.search.is_empty(), listed < look.online.count.count) {
                (false, _) => {
                    format!("{text}  {first}-{last} of {found} with \"{}\", Esc for all", plain(&self.search))
                }
                (true, true) => format!("{text}  {first}-{last} of the newest {listed}"),
                (true, false) => format!("{text}  {first}-{last} of {found}"),
            };
        }
        Line::from(text).dim()
    }
}

/// Touches a second between two looks; nothing where the server was started anew between them.
fn rate(before: &Look, now: &Look) -> Option<u64> {
    let seconds = now.as_of().since(before.as_of()).as_secs_f64();
    let touches = now.numbers.touches.checked_sub(before.numbers.touches)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a rate for people, of what is not negative"
    )]
    let rate = (touches as f64 / seconds).round() as u64;
    (seconds > 0.0).then_some(rate)
}

#[cfg(test)]
mod tests;
