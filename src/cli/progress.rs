//! Progress of what takes long: a bar on standard error, and only if that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::kernel::log::verify::Progress;

const ENTRIES: &str = "{msg} [{wide_bar}] {human_pos} of {human_len} entries, {eta} left";
const BYTES: &str = "{msg} [{wide_bar}] {bytes} of {total_bytes}, {eta} left";

/// A bar that is gone once it is dropped.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// A bar for doing this with entries.
    #[must_use]
    pub fn new(doing: &'static str) -> Bar {
        Bar::of(doing, ENTRIES)
    }

    /// A bar for doing this with bytes.
    #[must_use]
    pub fn bytes(doing: &'static str) -> Bar {
        Bar::of(doing, BYTES)
    }

    fn of(doing: &'static str, template: &str) -> Bar {
        // It hides itself where standard error is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(doing);
        Bar(bar)
    }

    /// Shows how far it is.
    pub fn show(&self, progress: Progress) {
        self.0.set_length(progress.of);
        self.0.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
