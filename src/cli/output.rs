//! Where texts go: data to standard output, talk to standard error.
//!
//! A reader that goes away (`pdl … | head`) is not an error: what comes after is dropped, and the exit status is what
//! it would have been. Nothing here panics because a stream is closed, as `println!` would.

use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Stdout, Write as _};

use super::args::ColorChoice;
use super::status::Failure;
use crate::diagnostic::render::clean;

/// The two streams.
#[derive(Debug)]
pub struct Output {
    stdout: BufWriter<Stdout>,
    closed: bool,
    color_data: bool,
    color_talk: bool,
    width: Option<u16>,
}

impl Output {
    /// Decides about colour, once: asked for, or left to us and both a terminal and not unwanted by the environment.
    #[must_use]
    pub fn new(choice: ColorChoice) -> Output {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let color = |is_terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => is_terminal && !unwanted,
        };
        Output {
            stdout: BufWriter::new(io::stdout()),
            closed: false,
            color_data: color(io::stdout().is_terminal()),
            color_talk: color(io::stderr().is_terminal()),
            width: terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0),
        }
    }

    /// For texts that go elsewhere: without colour, and as wide as they are.
    #[must_use]
    pub fn plain() -> Output {
        Output { width: None, ..Output::new(ColorChoice::Never) }
    }

    /// How many columns there are for data; `None` if it goes to no terminal, and lines are as long as they are.
    #[must_use]
    pub fn width(&self) -> Option<u16> {
        self.width
    }

    /// Whether data may have colour.
    #[must_use]
    pub fn color_data(&self) -> bool {
        self.color_data
    }

    /// Whether talk may have colour.
    #[must_use]
    pub fn color_talk(&self) -> bool {
        self.color_talk
    }

    /// Whether nobody reads the data any more, so that a long run may stop.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Writes data.
    pub fn data(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes data that need not be text.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        let result = self.stdout.write_all(bytes);
        self.settle(result)
    }

    /// Writes what is still in the buffer.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        let result = self.stdout.flush();
        self.settle(result)
    }

    /// Writes talk: as it is, with data written before it on the way first, so that a terminal shows both in order.
    pub fn talk(&mut self, text: &str) {
        let _ = self.flush();
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Writes talk in which names from outside stand: a terminal obeys none of it.
    pub fn say(&mut self, text: &str) {
        self.talk(&format!("{}\n", lines(text)));
    }

    /// Says why a command failed.
    pub fn failure(&mut self, failure: &Failure) {
        let word = paint(self.color_talk, RED, "error:");
        let text = format!("{word} {}\n", lines(&failure.message));
        self.talk(&text);
        if let Some(help) = &failure.help {
            self.hint(help);
        }
    }

    /// Says what could be done.
    pub fn hint(&mut self, hint: &str) {
        let word = paint(self.color_talk, CYAN, "help:");
        self.talk(&format!("{word} {}\n", lines(hint)));
    }

    fn settle(&mut self, result: io::Result<()>) -> Result<(), Failure> {
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            Err(error) => {
                self.closed = true;
                Err(Failure::new(format!("can't write to standard output: {error}")))
            }
        }
    }
}

/// Of errors.
pub const RED: &str = "1;31";
/// Of what is good.
pub const GREEN: &str = "1;32";
/// Of what needs somebody.
pub const YELLOW: &str = "1;33";
/// Of helps and names.
pub const CYAN: &str = "1;36";
/// Of what matters less.
pub const DIM: &str = "2";

/// The text in a colour, where colour is wanted.
#[must_use]
pub fn paint(color: bool, sequence: &str, text: &str) -> String {
    if color { format!("\x1b[{sequence}m{text}\x1b[0m") } else { text.to_owned() }
}

/// A text of several lines in which nothing else is obeyed by a terminal.
fn lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}
