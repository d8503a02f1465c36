use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::make::{commit, git, repository};
use super::{github_token, left_out, scanner, told, write};

fn secret() -> String {
    format!("token = \"{}\"\n", github_token(51))
}

fn new() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a");
    repository(&root);
    (folder, root)
}

/// Commits a secret, and takes it out again.
fn removed_later(root: &Path) {
    write(root, "conf/app.py", secret());
    commit(root, "work");
    write(root, "conf/app.py", "import os\n");
    commit(root, "clean");
}

/// One way in which a repository may hold a secret that its work tree does not show.
type Way = (&'static str, fn(&Path), &'static str);

const WAYS: &[Way] = &[
    ("removed by a later commit", removed_later, "conf/app.py:1:10 commit"),
    (
        "a file that was deleted",
        |root| {
            write(root, "old.env", secret());
            commit(root, "work");
            fs::remove_file(root.join("old.env")).unwrap();
            commit(root, "clean");
        },
        "old.env:1:10 commit",
    ),
    ("the message of a commit", |root| git_commit(root, &secret()), "(commit message):1:10 commit"),
    (
        "a branch that is not checked out",
        |root| {
            git(root, &["checkout", "--quiet", "-b", "side"]);
            write(root, "side.py", secret());
            commit(root, "work");
            git(root, &["checkout", "--quiet", "main"]);
        },
        "side.py:1:10 commit",
    ),
    (
        "a branch that was deleted",
        |root| {
            git(root, &["checkout", "--quiet", "-b", "side"]);
            write(root, "side.py", secret());
            commit(root, "work");
            git(root, &["checkout", "--quiet", "main"]);
            git(root, &["branch", "--quiet", "-D", "side"]);
        },
        "side.py:1:10 lost",
    ),
    (
        "a commit that was amended",
        |root| {
            write(root, "a.py", secret());
            commit(root, "work");
            write(root, "a.py", "import os\n");
            git(root, &["add", "."]);
            git(root, &["commit", "--quiet", "--amend", "--no-gpg-sign", "-m", "work"]);
        },
        "a.py:1:10 lost",
    ),
    (
        "staged, and never committed",
        |root| {
            write(root, "a.py", secret());
            git(root, &["add", "."]);
            write(root, "a.py", "import os\n");
            git(root, &["add", "."]);
        },
        "(unreachable ID):1:10",
    ),
    (
        "a stash",
        |root| {
            write(root, "README", secret());
            git(root, &["stash", "--quiet"]);
        },
        "README:1:10 commit",
    ),
    (
        "a note",
        |root| {
            git(root, &["notes", "add", "-m", &secret()]);
        },
        "ID:1:10 commit",
    ),
    (
        "a tag of a file",
        |root| {
            write(root, "../loose", secret());
            let id = git(root, &["hash-object", "-w", "../loose"]);
            git(root, &["tag", "key", &id]);
            fs::remove_file(root.join("../loose")).unwrap();
        },
        "(refs/tags/key):1:10",
    ),
    (
        "the settings of the repository",
        |root| {
            let url = format!("https://x:{}@git.a.example/a.git", github_token(51));
            git(root, &["config", "remote.origin.url", &url]);
        },
        ".git/config:7:18",
    ),
    (
        "behind a replacement",
        |root| {
            write(root, "a.py", secret());
            commit(root, "work");
            git(root, &["replace", "HEAD", "HEAD~1"]);
            git(root, &["--no-replace-objects", "reset", "--quiet", "--hard", "HEAD~1"]);
        },
        "a.py:1:10 lost",
    ),
    (
        "an archive",
        |root| {
            write(
                root,
                "a.tgz",
                super::make::gzip(&super::make::tar([("x", secret().as_bytes())])),
            );
            commit(root, "work");
            fs::remove_file(root.join("a.tgz")).unwrap();
            commit(root, "clean");
        },
        "a.tgz!x:1:10 commit",
    ),
];

fn git_commit(root: &Path, message: &str) {
    git(root, &["commit", "--quiet", "--allow-empty", "--no-gpg-sign", "-m", message]);
}

/// Without names that differ from run to run.
fn without_ids(text: &str) -> String {
    let is_id = |it: &&str| it.len() == 40 && it.bytes().all(|it| it.is_ascii_hexdigit());
    let mut shown = text.to_owned();
    let ids: Vec<&str> = text.split(|it: char| !it.is_ascii_alphanumeric()).filter(is_id).collect();
    for id in ids {
        shown = shown.replace(id, "ID");
    }
    shown
}

#[test]
fn a_secret_that_the_work_tree_does_not_show_is_found() {
    for (what, way, expected) in WAYS {
        let (folder, root) = new();
        way(&root);
        for how in ["loose", "packed", "bare"] {
            let place = match how {
                "packed" => {
                    git(&root, &["repack", "-a", "-d", "-k", "-q"]);
                    root.clone()
                }
                "bare" => {
                    git(&root, &["config", "core.bare", "true"]);
                    let bare = folder.path().join("bare.git");
                    fs::rename(root.join(".git"), &bare).unwrap();
                    bare
                }
                _ => root.clone(),
            };
            let report = scanner().scan_git(&place).unwrap();
            let inside = if how == "bare" { "(repository)/" } else { ".git/" };
            let expected = expected.replace(".git/", inside);
            let found = without_ids(&told(&report));
            let found: Vec<&str> = found.lines().map(|it| it.split_once(' ').unwrap().1).collect();
            assert!(found.contains(&expected.as_str()), "{what}, {how}: {found:?}");
            assert!(report.is_complete(), "{what}, {how}: {}", left_out(&report));
        }
    }
}

#[test]
fn a_finding_names_the_first_commit_that_held_it() {
    let (_folder, root) = new();
    write(&root, "a.py", secret());
    commit(&root, "first");
    let first = git(&root, &["rev-parse", "HEAD"]);
    write(&root, "b.py", "other\n");
    fs::rename(root.join("a.py"), root.join("c.py")).unwrap();
    commit(&root, "second");
    fs::remove_file(root.join("c.py")).unwrap();
    commit(&root, "third");
    let report = scanner().scan_git(&root).unwrap();
    let found: Vec<(&str, &str)> = report
        .findings
        .iter()
        .map(|it| (it.file.as_str(), it.commit.as_ref().unwrap().id.as_str()))
        .collect();
    assert_eq!(found, [("a.py", first.as_str())]);
    assert_eq!(report.scanned_commits, 4);
}

#[test]
fn the_message_of_a_tag_is_read() {
    for lost in [false, true] {
        let (_folder, root) = new();
        git(&root, &["tag", "-a", "v1", "-m", &secret()]);
        if lost {
            git(&root, &["tag", "-d", "v1"]);
        }
        let report = scanner().scan_git(&root).unwrap();
        let expected = "github-token (message of tag ID):1:10";
        assert_eq!(without_ids(&told(&report)), expected, "lost: {lost}");
    }
}

#[test]
fn what_a_clone_does_not_hold_is_named() {
    let (folder, root) = new();
    removed_later(&root);
    let url = format!("file://{}", root.display());
    git(folder.path(), &["clone", "--quiet", "--depth", "1", &url, "shallow"]);
    let report = scanner().scan_git(&folder.path().join("shallow")).unwrap();
    assert_eq!((told(&report).as_str(), report.is_complete()), ("", false));
    let left = without_ids(&left_out(&report));
    assert!(
        left.contains("(before commit ID): history before this commit is not in the clone"),
        "{left}"
    );
    let inner = root.join("inner");
    repository(&inner);
    git_commit(&inner, "another");
    git(&root, &["-c", "advice.addEmbeddedRepo=false", "add", "inner"]);
    git_commit(&root, "with another inside");
    let report = scanner().scan_git(&root).unwrap();
    assert!(!report.is_complete());
    assert!(left_out(&report).contains("inner: another repository"), "{}", left_out(&report));
}

#[test]
fn a_work_tree_beside_its_repository_is_read_with_all_history() {
    let (folder, root) = new();
    removed_later(&root);
    git(&root, &["worktree", "add", "--quiet", "-b", "side", "../side"]);
    let side = folder.path().join("side");
    write(&side, "local.env", secret());
    let report = scanner().scan_git(&side).unwrap();
    assert_eq!(told(&report), "github-token local.env:1:10\ngithub-token conf/app.py:1:10 commit");
}

#[test]
fn a_damaged_repository_is_an_error_and_never_clean() {
    let objects = |root: &Path| {
        let mut all = Vec::new();
        for folder in fs::read_dir(root.join(".git/objects")).unwrap().flatten() {
            if folder.file_name().len() == 2 {
                all.extend(fs::read_dir(folder.path()).unwrap().flatten().map(|it| it.path()));
            }
        }
        all.sort();
        all
    };
    let spoil = |path: &Path, change: fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::remove_file(path).unwrap();
        fs::write(path, bytes).unwrap();
    };
    let half: fn(&mut Vec<u8>) = |it| it.truncate(it.len() / 2);
    let flip: fn(&mut Vec<u8>) = |it| {
        let at = it.len() / 2;
        it[at] ^= 0x55;
    };
    let pack = |root: &Path, ending: &str| {
        git(root, &["repack", "-a", "-d", "-q"]);
        let all = fs::read_dir(root.join(".git/objects/pack")).unwrap().flatten();
        let mut all = all.map(|it| it.path());
        all.find(|it| it.extension().is_some_and(|it| it == ending)).unwrap()
    };
    let count = {
        let (_folder, root) = new();
        removed_later(&root);
        objects(&root).len()
    };
    for at in 0..count {
        for (what, change) in [("cut off", Some(half)), ("changed", Some(flip)), ("missing", None)]
        {
            let (_folder, root) = new();
            removed_later(&root);
            let object = objects(&root)[at].clone();
            match change {
                Some(change) => spoil(&object, change),
                None => fs::remove_file(&object).unwrap(),
            }
            assert!(scanner().scan_git(&root).is_err(), "object {at} {what}");
        }
    }
    for (what, ending, change) in
        [("cut off", "pack", half), ("changed", "pack", flip), ("cut off", "idx", half)]
    {
        let (_folder, root) = new();
        removed_later(&root);
        spoil(&pack(&root, ending), change);
        assert!(scanner().scan_git(&root).is_err(), "{ending} {what}");
    }
    let (folder, root) = new();
    fs::remove_file(pack(&root, "idx")).unwrap();
    assert!(scanner().scan_git(&root).is_err(), "an index is missing");
    assert!(scanner().scan_git(folder.path()).is_err(), "no repository");
    assert!(scanner().scan_git(&folder.path().join("nowhere")).is_err(), "nothing there");
}
