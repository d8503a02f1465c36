use std::path::Path;

#[test]
fn the_committed_description_is_the_one_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let current = countersign_server::api::openapi();
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, current, "UPDATE_OPENAPI=1 cargo test -p countersign-server openapi");
    assert!(current.contains("\"openapi\": \"3.1"));
}
