//! Sizes and words of files.

use super::File;

/// The most lines that a source file may have; past 400, look for the second idea in it.
const LINES_MAX: usize = 500;

/// What every visitor looks for.
const PAGES: [&str; 6] =
    ["ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md", "SECURITY.md"];

/// Words that leave work lying about: it belongs into an issue with a number.
const LOOSE_ENDS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];

/// The beginnings of paths that exist on one machine only.
const MACHINE: [&str; 5] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("C:\\Us", "ers\\"),
];

/// Every file that is too long, badly named, missing, or says what it should not.
pub(crate) fn problems(files: &[File]) -> Vec<String> {
    let missing = PAGES.iter().filter(|page| !files.iter().any(|it| it.path == **page));
    let mut problems: Vec<String> = missing.map(|it| format!("{it} is missing")).collect();
    for file in files {
        problems.extend(shape(file));
        problems.extend(words(file));
    }
    problems
}

fn shape(file: &File) -> Option<String> {
    let path = &file.path;
    if !file.is_source() {
        return None;
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let folder = path.rsplit('/').nth(1).unwrap_or_default();
    let stem = if name == "mod.rs" { folder } else { name.trim_end_matches(".rs") };
    if ["helpers", "misc", "util", "utils"].contains(&stem) {
        return Some(format!("{path} has a name that says nothing"));
    }
    let is_test = path.contains("/tests/") || name == "tests.rs";
    let lines = file.text.lines().count();
    (LINES_MAX < lines && !is_test)
        .then(|| format!("{path} has {lines} lines, and may have {LINES_MAX}"))
}

fn words(file: &File) -> impl Iterator<Item = String> {
    let path = &file.path;
    file.text.lines().enumerate().flat_map(move |(number, line)| {
        let place = format!("{path}:{}", number + 1);
        let loose = LOOSE_ENDS.into_iter().filter(move |it| is_word(line, it));
        let loose = loose.map(|it| format!("`{it}` leaves work lying about"));
        let machine = MACHINE.into_iter().filter(move |it| begins_a_path(line, it));
        let machine = machine.map(|it| format!("`{it}` exists on one machine only"));
        loose.chain(machine).map(move |it| format!("{place}: {it}"))
    })
}

/// Whether a word stands alone.
fn is_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let inner = |it: char| it.is_alphanumeric() || it == '_';
        let before = line.get(..at).and_then(|it| it.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|it| it.chars().next());
        !before.is_some_and(inner) && !after.is_some_and(inner)
    })
}

/// Whether this begins a path, rather than lying within one or within an address.
fn begins_a_path(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line.get(..at).and_then(|it| it.chars().next_back());
        !before.is_some_and(|it| it.is_alphanumeric() || "._-/}$~".contains(it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_breaks_a_rule_is_named_with_its_place() {
        let long = "\n".repeat(LINES_MAX + 1);
        let [later, mend] = LOOSE_ENDS;
        let [linux, root, ..] = MACHINE;
        let table = [
            ("crates/a/src/b.rs", "fn b() {}".to_owned(), String::new()),
            (
                "crates/a/src/b.rs",
                long.clone(),
                "crates/a/src/b.rs has 501 lines, and may have 500".to_owned(),
            ),
            ("crates/a/src/b/tests.rs", long.clone(), String::new()),
            ("crates/a/tests/it/b.rs", long.clone(), String::new()),
            ("spec/vectors/b.json", long, String::new()),
            (
                "crates/a/src/utils.rs",
                String::new(),
                "crates/a/src/utils.rs has a name that says nothing".to_owned(),
            ),
            (
                "crates/a/src/util/mod.rs",
                String::new(),
                "crates/a/src/util/mod.rs has a name that says nothing".to_owned(),
            ),
            (
                "a.md",
                format!("x\n{later}: more"),
                format!("a.md:2: `{later}` leaves work lying about"),
            ),
            ("a.md", format!("// {mend}(me)"), format!("a.md:1: `{mend}` leaves work lying about")),
            ("a.md", format!("{later}S_OPEN"), String::new()),
            (
                "a.toml",
                format!("path = \"{linux}me/x\""),
                format!("a.toml:1: `{linux}` exists on one machine only"),
            ),
            ("a.sh", format!("cd {root}x"), format!("a.sh:1: `{root}` exists on one machine only")),
            ("a.md", format!("https://example.com{linux}x"), String::new()),
            ("a.sh", format!("$target{root}x"), String::new()),
        ];
        for (path, text, message) in table {
            let file = File { path: path.to_owned(), text };
            let said: Vec<String> = shape(&file).into_iter().chain(words(&file)).collect();
            assert_eq!(said.join("; "), message, "{path}");
        }
    }

    #[test]
    fn a_page_that_every_visitor_looks_for_is_missed() {
        let mut files: Vec<File> =
            PAGES.iter().map(|it| File { path: (*it).to_owned(), text: String::new() }).collect();
        assert_eq!(problems(&files), Vec::<String>::new());
        files.remove(0);
        assert_eq!(problems(&files), ["ARCHITECTURE.md is missing"]);
    }
}
