//! `integration import`: what a platform holds, against what is declared; drafts for the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use countersign_model::declare::adoption::Adoption;
use countersign_model::declare::draft::MARK;
use countersign_model::time::Period;
use serde_json::{Value, json};
use toml_edit::{DocumentMut, Table, value};

use super::{Context, list, number, text};
use crate::args::ImportArgs;
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};
use crate::page::{beside, table};

/// Who answers for which client until when, beside the drafts.
const ADOPTED: &str = "adopted.toml";
/// How long a client is adopted for, unless somebody writes another date.
const ADOPTED_FOR: Period = Period::from_days(90);
/// The largest file that is read.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Imports; 0 only where nothing is left unexplained.
pub(crate) async fn run(context: Context<'_>, args: &ImportArgs) -> Outcome {
    let owners = args.owners.as_deref().map(owners).transpose()?;
    let mut adopted = args.out.as_deref().map(adopted).transpose()?.unwrap_or_default();
    for (client, owner) in &args.adopt {
        let until = clock::now() + ADOPTED_FOR;
        adopted.insert(client.clone(), Adoption { owner: owner.clone(), until });
    }
    let body = json!({
        "platform": args.platform, "owners": owners, "adopted": adopted,
        "idle_days": args.idle_days, "without_drafts": args.out.is_none(),
    });
    let client = context.client()?;
    let mut asking = std::pin::pin!(client.post("/v1/imports", &body));
    let mut waited = 0;
    let mut answer = loop {
        if let Ok(answer) = tokio::time::timeout(TELL_EVERY, &mut asking).await {
            break answer?;
        }
        // Thousands of clients take a platform its time.
        waited += TELL_EVERY.as_secs();
        context.ui.working(&format!("{waited} s: {} is asked what it holds", args.platform));
    };
    if let Some(folder) = &args.out {
        let written = write(folder, &answer, &adopted)?;
        answer["written"] = json!(written);
    }
    context.show(&answer, lines);
    Ok(if number(&answer, "unexplained") == 0 { Exit::Yes } else { Exit::No })
}

/// Everybody on a list, one a line.
fn owners(path: &Path) -> Result<BTreeSet<String>, Failure> {
    let lines = read(path)?;
    let lines = lines.lines().map(str::trim);
    Ok(lines.filter(|it| !it.is_empty() && !it.starts_with('#')).map(str::to_owned).collect())
}

fn read(path: &Path) -> Result<String, Failure> {
    let wrong = |it: std::io::Error| Failure::file("read", path, &it);
    if FILE_BYTES_MAX < std::fs::metadata(path).map_err(wrong)?.len() {
        return Err(wrong(std::io::Error::other("it has more than 4 MiB")));
    }
    std::fs::read_to_string(path).map_err(wrong)
}

/// The clients that somebody answers for, with the end of it: those whose owner is filled in.
fn adopted(folder: &Path) -> Result<BTreeMap<String, Adoption>, Failure> {
    let mut known = BTreeMap::new();
    for (client, entry) in adoptions(&folder.join(ADOPTED))?.iter() {
        let text = |name: &str| entry.get(name).and_then(|it| it.as_str()).unwrap_or_default();
        let owner = text("owner");
        if owner.is_empty() || owner.starts_with(MARK) {
            continue;
        }
        let wrong = || {
            let text = format!("`{ADOPTED}`: `until` of `{client}` is no moment");
            Failure::new(Exit::Usage, text).help("write it like 2027-02-23T00:00:00Z")
        };
        let until = text("until").parse().map_err(|_| wrong())?;
        known.insert(client.to_owned(), Adoption { owner: owner.to_owned(), until });
    }
    Ok(known)
}

/// The file of adoptions; empty where there is none.
fn adoptions(path: &Path) -> Result<DocumentMut, Failure> {
    if !path.exists() {
        return Ok(DocumentMut::new());
    }
    read(path)?.parse().map_err(|it| {
        Failure::new(Exit::Usage, format!("`{}` is not understood", path.display()))
            .help(format!("{it}"))
    })
}

/// Writes what is not there yet, and says which files.
fn write(
    folder: &Path,
    answer: &Value,
    adopted: &BTreeMap<String, Adoption>,
) -> Result<Vec<String>, Failure> {
    let mut written = Vec::new();
    std::fs::create_dir_all(folder).map_err(|it| Failure::file("create", folder, &it))?;
    let path = folder.join(ADOPTED);
    let mut adoptions = adoptions(&path)?;
    let is_new = adoptions.is_empty();
    let until = (clock::now() + ADOPTED_FOR).to_string();
    let mut added = false;
    for draft in list(answer, "drafts") {
        let (client, manifest) = (text(draft, "client_id"), text(draft, "manifest"));
        if !adoptions.contains_key(client) {
            let mut entry = Table::new();
            let known = adopted.get(client);
            entry["owner"] = value(known.map_or(MARK, |it| &it.owner));
            entry["until"] = value(known.map_or(until.clone(), |it| it.until.to_string()));
            adoptions[client] = toml_edit::Item::Table(entry);
            added = true;
        }
        if manifest.is_empty() {
            continue;
        }
        let file = folder.join(format!("{}.toml", name(client)));
        let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&file);
        match made {
            Ok(mut it) => {
                std::io::Write::write_all(&mut it, manifest.as_bytes())
                    .map_err(|it| Failure::file("write", &file, &it))?;
                written.push(file.display().to_string());
            }
            // Somebody may have written on it.
            Err(it) if it.kind() == ErrorKind::AlreadyExists => {}
            Err(it) => return Err(Failure::file("create", &file, &it)),
        }
    }
    if added {
        let head = if is_new { HEAD } else { "" };
        std::fs::write(&path, format!("{head}{adoptions}"))
            .map_err(|it| Failure::file("write", &path, &it))?;
        written.push(path.display().to_string());
    }
    Ok(written)
}

const HEAD: &str = "# Clients that nobody declared yet. One counts as explained, until its date, once its owner is filled in.\n";

/// A name for a file: every other letter of a client's id is written by its number.
fn name(client: &str) -> String {
    let is_plain = |it: u8| it.is_ascii_alphanumeric() || it == b'-';
    let letter =
        |it: u8| if is_plain(it) { char::from(it).to_string() } else { format!("_{it:02x}") };
    client.bytes().take(80).map(letter).collect()
}

/// How many clients of one class are shown to people.
const SHOWN_MAX: usize = 50;
/// How often it is told that a platform is still being asked.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// What is left over first, then the sums.
fn lines(answer: &Value) -> Vec<String> {
    let clients = list(answer, "clients");
    let quiet = ["built-in", "copy", "declared"];
    let open = clients.iter().filter(|it| !quiet.contains(&text(it, "class")));
    let dash = |it: &str| if it.is_empty() { "-".to_owned() } else { it.to_owned() };
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rows: Vec<Vec<String>> = Vec::new();
    for it in open {
        let class = text(it, "class");
        let so_far = told.entry(class).or_default();
        *so_far += 1;
        if *so_far <= SHOWN_MAX {
            let owner = dash(text(it, "owner"));
            rows.push(vec![
                text(it, "client_id").into(),
                class.into(),
                owner,
                text(it, "why").into(),
            ]);
        }
    }
    let phantoms = answer["phantoms"].as_object();
    for (client, slug) in phantoms.into_iter().flatten() {
        let why = format!("declared by {} and not there", slug.as_str().unwrap_or_default());
        rows.push(vec![client.clone(), "phantom".to_owned(), "-".to_owned(), why]);
    }
    for (member, why) in [
        ("undeclared_credentials", "is there and not declared"),
        ("phantom_credentials", "is declared and not there"),
    ] {
        for it in list(answer, member) {
            let why = format!("{} {why}", text(it, "credential"));
            rows.push(vec![text(it, "client_id").into(), "credential".into(), "-".into(), why]);
        }
    }
    for it in list(answer, "unread") {
        let at = |place: usize| it[place].as_str().unwrap_or_default().to_owned();
        rows.push(vec![at(0), "unread".to_owned(), "-".to_owned(), at(1)]);
    }
    let mut lines = Vec::new();
    if !rows.is_empty() {
        lines = table(&["CLIENT", "CLASS", "OWNER", "WHY"], &rows);
        for (class, number) in told.iter().filter(|it| SHOWN_MAX < *it.1) {
            lines.push(format!("and {} more {class}; --json has all", number - SHOWN_MAX));
        }
        lines.push(String::new());
    }
    lines.extend(sums(answer));
    for it in list(answer, "written").iter().filter_map(Value::as_str) {
        lines.extend(beside("  wrote ", it));
    }
    lines.push(format!("unexplained {}", number(answer, "unexplained")));
    lines
}

fn sums(answer: &Value) -> Vec<String> {
    let counts = &answer["counts"];
    let words = [
        "declared",
        "unknown",
        "orphaned",
        "dormant",
        "overdue",
        "grandfathered",
        "built-in",
        "copy",
    ];
    let some = words.iter().filter(|it| 0 < number(counts, it));
    let parts: Vec<String> = some.map(|it| format!("{} {it}", number(counts, it))).collect();
    let sum = if parts.is_empty() { "nothing".to_owned() } else { parts.join(" + ") };
    let phantoms = answer["phantoms"].as_object().map_or(0, serde_json::Map::len);
    let strays =
        list(answer, "undeclared_credentials").len() + list(answer, "phantom_credentials").len();
    let mut lines = beside(&format!("found {:<4}", number(answer, "found")), &format!("= {sum}"));
    lines.push(format!("beside    {phantoms} phantom, {strays} credentials"));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_over_comes_first_and_the_sums_agree() {
        let answer = json!({
            "platform": "production", "found": 4, "unexplained": 4,
            "clients": [
                { "client_id": "acme", "class": "declared", "owner": "lena", "why": "declared by acme" },
                { "client_id": "old-sync", "class": "dormant", "owner": "max", "why": "last used long ago" },
                { "client_id": "alone", "class": "orphaned", "owner": null, "why": "it has no owner" },
                { "client_id": "kept", "class": "grandfathered", "owner": "max", "why": "adopted until then" },
            ],
            "counts": { "declared": 1, "dormant": 1, "orphaned": 1, "grandfathered": 1 },
            "phantoms": { "gone": "acme" },
            "undeclared_credentials": [{ "client_id": "acme", "credential": "secret-1" }],
            "phantom_credentials": [], "unread": [],
        });
        insta::assert_snapshot!(lines(&answer).join("\n"), @r"
        CLIENT    CLASS          OWNER  WHY
        old-sync  dormant        max    last used long ago
        alone     orphaned       -      it has no owner
        kept      grandfathered  max    adopted until then
        gone      phantom        -      declared by acme and not there
        acme      credential     -      secret-1 is there and not declared

        found 4   = 1 declared + 1 orphaned + 1 dormant + 1 grandfathered
        beside    1 phantom, 1 credentials
        unexplained 4
        ");
    }

    #[test]
    fn of_thousands_the_first_are_shown_and_the_others_counted() {
        let one = |number: u32| json!({ "client_id": format!("c{number}"), "class": "unknown" });
        let clients: Vec<Value> = (0..5_000).map(one).collect();
        let lines = lines(&json!({ "found": 5_000, "clients": clients }));
        assert_eq!(lines.iter().filter(|it| it.starts_with('c')).count(), SHOWN_MAX);
        assert!(lines.contains(&"and 4950 more unknown; --json has all".to_owned()), "{lines:?}");
    }

    #[test]
    fn a_client_is_adopted_once_somebody_answers_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let draft = json!({ "client_id": "old/sync", "manifest": "manifest = 1\n" });
        let answer = json!({ "drafts": [draft] });
        assert_eq!(write(folder.path(), &answer, &BTreeMap::new()).unwrap().len(), 2);
        assert!(folder.path().join("old_2fsync.toml").exists());
        assert_eq!(adopted(folder.path()).unwrap(), BTreeMap::new(), "its owner is not filled in");
        let file = folder.path().join(ADOPTED);
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.replace(MARK, "lena")).unwrap();
        let known = adopted(folder.path()).unwrap();
        assert!(known["old/sync"].owner == "lena" && clock::now() < known["old/sync"].until);
        assert_eq!(
            write(folder.path(), &answer, &BTreeMap::new()).unwrap(),
            Vec::<String>::new(),
            "nothing is lost"
        );
    }
}
