//! What people read about a check, on its page and at `countersign explain`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use countersign_model::require::Catalogue;

use crate::check::Info;
use crate::registry::FAMILIES;

/// What is said about a check, by name, in the order in which it is read. The first is the question.
pub fn rows(info: &Info) -> Vec<(&'static str, String)> {
    let mut rows = vec![("question", info.question.to_owned())];
    rows.extend(info.case.map(|it| ("case", it.to_owned())));
    rows.extend([
        ("controls", controls(info)),
        ("why it matters", info.risk.to_owned()),
        ("what is sent", info.sends.to_owned()),
        ("what passes", info.passes.to_owned()),
        ("what to do", info.fix.to_owned()),
        ("source", info.source.to_owned()),
    ]);
    rows
}

/// The controls that it decides, with their titles.
fn controls(info: &Info) -> String {
    let catalogue = Catalogue::embedded();
    let named = |it: &&str| match catalogue.control(it) {
        Some(control) => format!("{it} ({})", control.title),
        None => (*it).to_owned(),
    };
    info.controls.iter().map(named).collect::<Vec<_>>().join("; ")
}

/// The page of a check, in Markdown.
pub fn page(info: &Info) -> String {
    let mut facts = format!("- Check: `{}`\n", info.name);
    let mut sections = String::new();
    for (name, text) in rows(info) {
        let (heading, text) = (capitalised(name), escaped(&text));
        let _infallible = match name {
            "question" => Ok(()),
            "case" | "controls" => writeln!(facts, "- {heading}: {text}"),
            _ => write!(sections, "\n## {heading}\n\n{text}\n"),
        };
    }
    format!("# {}\n\n{facts}{sections}", escaped(info.question))
}

/// The page that lists all others, by family.
pub fn index() -> String {
    let mut text = String::from(HEAD);
    for (title, checks) in FAMILIES {
        let _infallible =
            write!(text, "\n## {}\n\n| Check | Case | Question |\n|-|-|-|\n", escaped(title));
        for info in checks.iter().map(|it| it.info()) {
            let (name, case) = (info.name, info.case.unwrap_or_default());
            let question = escaped(info.question);
            let _infallible = writeln!(text, "| [`{name}`]({name}.md) | {case} | {question} |");
        }
    }
    text
}

/// Every file of `docs/checks`, by name.
pub fn files() -> BTreeMap<String, String> {
    let infos = FAMILIES.iter().flat_map(|it| it.1).map(|it| it.info());
    let mut files: BTreeMap<String, String> =
        infos.map(|it| (format!("{}.md", it.name), page(it))).collect();
    files.insert("README.md".to_owned(), index());
    files
}

const HEAD: &str = "\
# Checks

Each check has a page: what it asks, why that matters, what is sent, what passes, what to do, and where the demand comes from.
`countersign explain NAME` prints the same, and finds a check by its case too. A case is the hostile request that the check sends.

The pages are written from the checks themselves, so a change begins in `crates/checks`:
`cargo test -p countersign-checks --lib -- --ignored write_the_pages` writes them anew, and a test fails while they are old.
";

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|it| it.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// Plain text as Markdown: what stands in backticks stays code, and nothing else means anything.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut is_code = false;
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(it) = rest.next() {
        is_code ^= it == '`';
        let is_letter = |it: char| it.is_alphanumeric();
        // Inside a word it is a letter like others: `private_key_jwt`.
        let is_inner = is_letter(before) && rest.peek().copied().is_some_and(is_letter);
        // A cell of a table ends at a bar, in code too.
        let is_meant = match it {
            '|' => true,
            '*' | '<' | '[' | '\\' | ']' | '~' => !is_code,
            '_' => !is_code && !is_inner,
            _ => false,
        };
        if is_meant {
            escaped.push('\\');
        }
        escaped.push(it);
        before = it;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::registry::{CHECKS, find};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/checks")
    }

    #[test]
    #[ignore = "writes docs/checks anew"]
    fn write_the_pages() {
        for it in fs::read_dir(folder()).unwrap() {
            fs::remove_file(it.unwrap().path()).unwrap();
        }
        for (name, text) in files() {
            fs::write(folder().join(name), text).unwrap();
        }
    }

    #[test]
    fn the_pages_are_current() {
        let entries = fs::read_dir(folder()).unwrap().map(|it| it.unwrap());
        let committed: BTreeMap<String, String> = entries
            .map(|it| {
                let name = it.file_name().into_string().unwrap();
                (name, fs::read_to_string(it.path()).unwrap())
            })
            .collect();
        let files = files();
        let names = committed.keys().chain(files.keys());
        let old: Vec<_> = names.filter(|it| committed.get(*it) != files.get(*it)).collect();
        assert!(old.is_empty(), "{old:?}: run the ignored test that writes docs/checks anew");
    }

    #[test]
    fn a_page_says_what_explain_says() {
        for info in CHECKS.iter().map(|it| it.info()) {
            let page = page(info);
            for (name, text) in rows(info) {
                assert!(page.contains(&escaped(&text)), "`{name}` of {}", info.name);
            }
        }
    }

    #[test]
    fn a_page_is_read_from_top_to_bottom() {
        let info = find("refuses_unknown_critical_header").unwrap().info();
        insta::assert_snapshot!(page(info), @r"
        # Does the resource server refuse a token with an extension that it cannot know?

        - Check: `refuses_unknown_critical_header`
        - Case: JWT-11
        - Controls: CTS-TOK-03 (Hostile token input is harmless)

        ## Why it matters

        A limit that the issuer put on a token is ignored.

        ## What is sent

        A right token, then tokens whose `crit` lists an extension of our own, with and without that extension in the header, then a right token again.

        ## What passes

        Both right tokens are accepted, and each of the others is answered with 401 or 403.

        ## What to do

        Refuse a token with `crit`, unless each extension in it is understood.

        ## Source

        RFC 7515, section 4.1.11; JWT-11.
        ");
    }

    #[test]
    fn only_code_means_something() {
        let table = [
            ("1 < 2, `1 < 2`", r"1 \< 2, `1 < 2`"),
            ("private_key_jwt or _this_", r"private_key_jwt or \_this\_"),
            ("[::1] and `[[alert]]`", r"\[::1\] and `[[alert]]`"),
            ("a | b and `a | b`", r"a \| b and `a \| b`"),
        ];
        for (text, expected) in table {
            assert_eq!(escaped(text), expected);
        }
    }
}
