//! People's keys.

use crate::run::countersign;

#[test]
fn a_key_is_made_once_and_holds_no_plain_seed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("passphrase"), "correct horse battery\n").unwrap();
    let arguments = [
        "key",
        "create",
        "--name",
        "lena",
        "--out",
        "lena.json",
        "--passphrase-file",
        "passphrase",
    ];
    let first = countersign(folder.path(), &arguments);
    assert_eq!(first.exit, 0, "{first:?}");
    let text = std::fs::read_to_string(folder.path().join("lena.json")).unwrap();
    let file = countersign_seal::keyfile::KeyFile::parse(text.as_bytes()).unwrap();
    assert_eq!(file.name(), "lena");
    assert!(file.open("correct horse battery").is_ok());
    assert!(file.open("another").is_err());
    let again = countersign(folder.path(), &arguments);
    assert_eq!(again.exit, 1, "an existing key is never written over");
    assert_eq!(std::fs::read_to_string(folder.path().join("lena.json")).unwrap(), text);
}

#[test]
fn without_a_terminal_a_passphrase_is_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let ran =
        countersign(folder.path(), &["key", "create", "--name", "lena", "--out", "lena.json"]);
    assert_eq!(ran.exit, 2, "{ran:?}");
}
