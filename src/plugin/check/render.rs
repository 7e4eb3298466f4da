//! The findings as text and as a document. Pure.

use super::judge::{Finding, Level};
use crate::plugin::output::{Look, Tone};
use serde::Serialize;
use serde_json::json;

impl Level {
    fn mark(self) -> (&'static str, Tone) {
        match self {
            Self::Good => ("✓", Tone::Good),
            Self::Plain => ("-", Tone::Faint),
            Self::Unknown => ("?", Tone::Faint),
            Self::Doubtful => ("!", Tone::Doubtful),
            Self::Bad => ("✗", Tone::Bad),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Good => "Good",
            Self::Plain => "Plain",
            Self::Unknown => "Unknown",
            Self::Doubtful => "Doubtful",
            Self::Bad => "Bad",
        }
    }
}

/// For people.
pub fn text(findings: &[Finding], wide: bool, look: Look) -> String {
    let mut text = String::new();
    let mut area = "";
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            text.push_str(area);
            text.push('\n');
        }
        let (mark, tone) = finding.level.mark();
        text.push_str(&format!("  {} {}\n", look.paint(tone, mark), finding.what));
        if !finding.remedy.is_empty() {
            text.push_str(&format!("      {}\n", finding.remedy));
        }
        for detail in finding.details.iter().filter(|_| wide) {
            text.push_str(&look.paint(Tone::Faint, &format!("      {detail}")));
            text.push('\n');
        }
    }
    let bad = findings.iter().filter(|finding| finding.level == Level::Bad).count();
    let sum = match bad {
        0 => look.paint(Tone::Good, "Nothing is wrong."),
        1 => look.paint(Tone::Bad, "1 thing is wrong."),
        more => look.paint(Tone::Bad, &format!("{more} things are wrong.")),
    };
    text + &sum + "\n"
}

/// For programs.
pub fn document(findings: &[Finding]) -> impl Serialize + use<> {
    let items: Vec<_> = findings
        .iter()
        .map(|Finding { area, level, what, remedy, details }| {
            json!({"area": area, "level": level.as_str(), "message": what, "remedy": remedy, "details": details})
        })
        .collect();
    json!({
        "apiVersion": "cli.storekeeper.dev/v1alpha1",
        "kind": "Check",
        "well": super::judge::is_well(findings),
        "items": items,
    })
}
