//! Finds in the source every type that holds a secret: one of the types that are made to, or a type that holds one.

use crate::sources;
use std::collections::BTreeSet;

/// Where secrets begin. Headers carry bearer tokens.
const SEEDS: [&str; 6] =
    ["ShownSecret", "Zeroizing", "SecretString", "SecretKey", "ChaCha20Poly1305", "HeaderMap"];
/// Names that elsewhere mean something of another crate. What holds one of ours is listed by what else it holds.
const AMBIGUOUS: [&str; 1] = ["Client"];

/// A type that holds a secret.
#[derive(Debug)]
pub struct Holder {
    pub file: String,
    pub name: String,
    pub public: bool,
    /// Whether it can be printed: by a derived or a written-out `Debug` or `Display`.
    pub printable: bool,
}

struct Type {
    file: String,
    name: String,
    public: bool,
    derives: String,
    body: String,
}

/// The holders of this crate.
pub fn of_source() -> Vec<Holder> {
    among(&sources::production(|name| !name.contains("tests")))
}

/// The names of those that other crates can see.
pub fn in_public() -> BTreeSet<String> {
    let visible = |holder: &Holder| {
        let hidden = [
            "operator/key/",
            "operator/runtime/worker",
            "provider/management/transport",
            "provider/ceph_rgw/",
            "provider/garage/",
            "provider/http/",
            "server/http/",
            "server/store/cipher",
            "server/s3/",
        ];
        holder.public && !hidden.iter().any(|part| holder.file.starts_with(part))
    };
    of_source().into_iter().filter(visible).map(|holder| holder.name).collect()
}

/// The holders in these files, by name and text.
pub fn among(files: &[(String, String)]) -> Vec<Holder> {
    let types: Vec<Type> = files.iter().flat_map(|(name, text)| types(name, text)).collect();
    let mut holding: BTreeSet<usize> = BTreeSet::new();
    loop {
        let more: Vec<usize> = (0..types.len())
            .filter(|n| !holding.contains(n))
            .filter(|n| words(&types[*n].body).any(|word| is_secret(&types, &holding, &types[*n].file, word)))
            .collect();
        if more.is_empty() {
            break;
        }
        holding.extend(more);
    }
    let holder = |n: usize| {
        let Type { file, name, public, derives, .. } = &types[n];
        let derived = words(derives).any(|word| matches!(word, "Debug" | "Display"));
        let written = files.iter().filter(|(other, _)| other == file).any(|(_, text)| {
            ["Debug", "Display"].iter().any(|bound| text.contains(&format!("{bound} for {name}")))
        });
        Holder { file: file.clone(), name: name.clone(), public: *public, printable: derived || written }
    };
    holding.into_iter().map(holder).collect()
}

/// Whether a word in a file names something that holds a secret. A name that several files define means the file's own.
fn is_secret(types: &[Type], holding: &BTreeSet<usize>, file: &str, word: &str) -> bool {
    if AMBIGUOUS.contains(&word) {
        return false;
    }
    let named: Vec<usize> = (0..types.len()).filter(|n| types[*n].name == word).collect();
    let own = named.iter().find(|n| types[**n].file == file);
    match (own, named.as_slice()) {
        (Some(own), _) => holding.contains(own),
        (None, [only]) => holding.contains(only),
        (None, []) => SEEDS.contains(&word),
        (None, _) => false,
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn types(file: &str, text: &str) -> Vec<Type> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut found = Vec::new();
    for (n, line) in lines.iter().enumerate() {
        let declared = line.trim_start();
        let public = declared.starts_with("pub ");
        let declared = declared
            .trim_start_matches("pub ")
            .trim_start_matches("pub(super) ")
            .trim_start_matches("pub(crate) ");
        let Some(rest) = declared.strip_prefix("struct ").or_else(|| declared.strip_prefix("enum ")) else {
            continue;
        };
        let Some(name) = words(rest).next() else { continue };
        let is_enum = declared.starts_with("enum ");
        let above: Vec<&str> =
            lines[..n].iter().rev().take_while(|above| is_attribute(above)).copied().collect();
        let indent = &line[..line.len() - line.trim_start().len()];
        let end = if line.trim_end().ends_with('{') {
            lines[n..]
                .iter()
                .position(|below| *below == format!("{indent}}}"))
                .map_or(lines.len(), |more| n + more)
        } else {
            lines[n..]
                .iter()
                .position(|below| below.ends_with(';') || below.ends_with('}'))
                .map_or(n, |more| n + more)
        };
        found.push(Type {
            file: file.to_owned(),
            name: name.to_owned(),
            public,
            derives: above.concat(),
            body: rest[name.len()..].to_owned()
                + &lines[(n + 1).min(end)..=end.min(lines.len() - 1)]
                    .iter()
                    .map(|line| if is_enum { after_variant(line) } else { line })
                    .collect::<String>(),
        });
    }
    found
}

/// A line of an enum without the name of its variant, which may be that of a type.
fn after_variant(line: &str) -> &str {
    line.trim_start().trim_start_matches(|c: char| c.is_alphanumeric())
}

/// Whether a line above a declaration still belongs to it.
fn is_attribute(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.ends_with('}') && !line.ends_with(';') && !line.ends_with('{')
}
