//! How answers look: `-o`, colours, tables. Pure, but for asking whether there is a terminal.

use super::item::Stand;
use clap::ValueEnum;
use serde::Serialize;
use std::io::IsTerminal as _;

/// `-o`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// The same with more columns.
    Wide,
    /// For programs.
    Json,
    /// For programs.
    Yaml,
}

impl Format {
    /// The document for programs; `None` where people read.
    pub fn document(self, value: &impl Serialize) -> Option<Result<String, super::Failure>> {
        match self {
            Self::Table | Self::Wide => None,
            Self::Json => {
                Some(serde_json::to_string_pretty(value).map(|text| text + "\n").map_err(Into::into))
            }
            Self::Yaml => Some(serde_yaml::to_string(value).map_err(Into::into)),
        }
    }
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether there are.
    pub colours: bool,
}

/// What a piece of text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// All is well.
    Good,
    /// Worth a look.
    Doubtful,
    /// Not as it should be.
    Bad,
    /// Beside the point.
    Faint,
}

impl Look {
    /// Colours on a terminal only, and not where `NO_COLOR` is set.
    pub fn of_stdout() -> Self {
        let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colours: std::io::stdout().is_terminal() && !unwanted }
    }

    /// The text in its colour.
    pub fn paint(self, tone: Tone, text: &str) -> String {
        if !self.colours {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Good => "32",
            Tone::Doubtful => "33",
            Tone::Bad => "31",
            Tone::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

impl From<Stand> for Tone {
    fn from(stand: Stand) -> Self {
        match stand {
            Stand::Ready => Self::Good,
            Stand::Waiting | Stand::Deleting | Stand::Unseen => Self::Doubtful,
            Stand::Blocked | Stand::Missing => Self::Bad,
            Stand::Hidden => Self::Faint,
        }
    }
}

/// One cell: its text, and its tone if it has one.
pub type Cell = (String, Option<Tone>);

/// One line of a table, or a line of text between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Cells under the columns.
    Row(Vec<Cell>),
    /// Text that is as long as it is.
    Text(String, Tone),
}

/// A table whose columns are as wide as they must be.
pub fn table(header: &[&str], lines: &[Line], look: Look) -> String {
    let width = |text: &str| text.chars().count();
    let mut widths: Vec<usize> = header.iter().map(|title| width(title)).collect();
    for line in lines {
        if let Line::Row(cells) = line {
            for (widest, (text, _)) in widths.iter_mut().zip(cells) {
                *widest = (*widest).max(width(text));
            }
        }
    }
    let titles: Vec<Cell> = header.iter().map(|title| ((*title).to_owned(), None)).collect();
    let mut text = row(&titles, &widths, look);
    for line in lines {
        match line {
            Line::Row(cells) => text.push_str(&row(cells, &widths, look)),
            Line::Text(words, tone) => {
                text.push_str(&look.paint(*tone, words));
                text.push('\n');
            }
        }
    }
    text
}

fn row(cells: &[Cell], widths: &[usize], look: Look) -> String {
    let mut line = String::new();
    let last = cells.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or_default();
    for (index, ((text, tone), width)) in cells.iter().zip(widths).take(last + 1).enumerate() {
        line.push_str(&tone.map_or_else(|| text.clone(), |tone| look.paint(tone, text)));
        if index < last {
            line.extend(std::iter::repeat_n(' ', width - text.chars().count() + 3));
        }
    }
    line.push('\n');
    line
}

/// How long ago, as kubectl says it: `5s`, `12m`, `3h`, `4d`.
pub fn ago(then: jiff::Timestamp, now: jiff::Timestamp) -> String {
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds}s"),
        120..=7199 => format!("{}m", seconds / 60),
        7200..=172_799 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Look, Tone, ago, table};
    use jiff::Timestamp;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_colours_do_not_count() {
        let cell = |text: &str| (text.to_owned(), None);
        let lines = [
            Line::Row(vec![("é".to_owned(), Some(Tone::Bad)), cell("x"), cell("")]),
            Line::Text("  why".to_owned(), Tone::Faint),
            Line::Row(vec![cell("longest"), cell("y"), cell("z")]),
        ];
        let plain = table(&["A", "B", "C"], &lines, Look { colours: false });
        assert_eq!(plain, "A         B   C\né         x\n  why\nlongest   y   z\n");
        let coloured = table(&["A", "B", "C"], &lines, Look { colours: true });
        assert!(coloured.contains("\u{1b}[31mé\u{1b}[0m         x\n"), "{coloured}");
    }

    #[test]
    fn ages_are_said_as_kubectl_says_them() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (seconds, text) in
            [(-5, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (172_800, "2d")]
        {
            let then = Timestamp::from_second(1_000_000 - seconds).unwrap();
            assert_eq!(ago(then, now), text);
        }
    }
}
