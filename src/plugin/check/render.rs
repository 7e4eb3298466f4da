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
    let mut lines = Vec::new();
    let mut area = "";
    for finding in findings {
        if finding.area != area {
            area = finding.area;
            lines.push(area.to_owned());
        }
        let (mark, tone) = finding.level.mark();
        lines.push(format!("  {} {}", look.paint(tone, mark), finding.what));
        if !finding.remedy.is_empty() {
            lines.push(format!("      {}", finding.remedy));
        }
        let details = finding.details.iter().filter(|_| wide);
        lines.extend(details.map(|detail| look.paint(Tone::Faint, &format!("      {detail}"))));
    }
    let bad = findings.iter().filter(|finding| finding.level == Level::Bad).count();
    lines.push(match bad {
        0 => look.paint(Tone::Good, "Nothing is wrong."),
        1 => look.paint(Tone::Bad, "1 thing is wrong."),
        more => look.paint(Tone::Bad, &format!("{more} things are wrong.")),
    });
    lines.join("\n") + "\n"
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
