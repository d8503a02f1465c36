//! Which package may stand on which: five floors, no circles.

use anyhow::Context as _;

/// A package of the workspace, and what it depends on outside of its tests.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<String>,
}

/// What each package may use of the others. The demo (in `cli`) and tests know the sandbox, the server does not.
const FLOORS: &[(&str, &[&str])] = &[
    ("real", &[]),
    ("seal", &[]),
    ("model", &["seal"]),
    ("checks", &["model", "seal"]),
    ("gate", &["model", "seal"]),
    ("ledger", &["model", "seal"]),
    ("sandbox", &["checks", "gate", "ledger", "model", "seal"]),
    ("bench", &["checks", "gate", "model", "sandbox", "seal"]),
    ("store", &["checks", "gate", "ledger", "model", "seal"]),
    ("server", &["checks", "gate", "ledger", "model", "seal", "store"]),
    ("fuzzing", &["checks", "gate", "ledger", "model", "seal"]),
    ("cli", &["checks", "gate", "ledger", "model", "sandbox", "seal", "server", "store"]),
];

const PREFIX: &str = "countersign-";

/// Reads the answer of `cargo metadata`.
pub(crate) fn packages(metadata: &str) -> anyhow::Result<Vec<Package>> {
    let metadata: serde_json::Value = serde_json::from_str(metadata)?;
    let all = metadata["packages"].as_array().context("`cargo metadata` lists no packages")?;
    all.iter().map(package).collect()
}

fn package(it: &serde_json::Value) -> anyhow::Result<Package> {
    let name = it["name"].as_str().context("a package has no name")?.to_owned();
    let all = it["dependencies"].as_array().with_context(|| format!("{name} lists nothing"))?;
    // Tests may reach up: they belong to nobody's floor.
    let used = all.iter().filter(|it| it["kind"] != "dev");
    let dependencies = used.filter_map(|it| it["name"].as_str()).map(str::to_owned).collect();
    Ok(Package { name, dependencies })
}

/// Every dependency that points up or sideways.
pub(crate) fn problems(packages: &[Package]) -> Vec<String> {
    let mut problems = Vec::new();
    for package in packages {
        let short = package.name.strip_prefix(PREFIX);
        let allowed = short.and_then(|it| FLOORS.iter().find(|(name, _)| *name == it));
        if short.is_some() && allowed.is_none() {
            problems.push(format!("`{}` has no floor: give it one in xtask", package.name));
        }
        let below = allowed.map_or(&[][..], |(_, below)| below);
        for used in package.dependencies.iter().filter_map(|it| it.strip_prefix(PREFIX)) {
            if !below.contains(&used) {
                problems.push(format!("`{}` may not use `{PREFIX}{used}`", package.name));
            }
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_that_points_up_or_sideways_is_named() {
        let table = [
            ("countersign-cli", "countersign-sandbox", ""),
            ("countersign-gate", "serde", ""),
            ("xtask", "serde_json", ""),
            (
                "countersign-server",
                "countersign-sandbox",
                "`countersign-server` may not use `countersign-sandbox`",
            ),
            (
                "countersign-checks",
                "countersign-gate",
                "`countersign-checks` may not use `countersign-gate`",
            ),
            (
                "countersign-gate",
                "countersign-ledger",
                "`countersign-gate` may not use `countersign-ledger`",
            ),
            (
                "countersign-seal",
                "countersign-model",
                "`countersign-seal` may not use `countersign-model`",
            ),
            ("xtask", "countersign-model", "`xtask` may not use `countersign-model`"),
            (
                "countersign-utils",
                "serde",
                "`countersign-utils` has no floor: give it one in xtask",
            ),
        ];
        for (name, used, message) in table {
            let package = Package { name: name.to_owned(), dependencies: vec![used.to_owned()] };
            assert_eq!(problems(&[package]).join("; "), message, "{name} using {used}");
        }
    }

    #[test]
    fn the_floors_have_no_circle() {
        for (index, (name, below)) in FLOORS.iter().enumerate() {
            for used in *below {
                let found = FLOORS.iter().position(|(it, _)| it == used);
                assert!(found.is_some_and(|it| it < index), "{name} stands on {used}");
            }
        }
    }

    #[test]
    fn tests_may_reach_up() {
        let metadata = r#"{"packages": [{"name": "countersign-server", "dependencies": [
            {"name": "countersign-sandbox", "kind": "dev"},
            {"name": "countersign-store", "kind": null},
            {"name": "cc", "kind": "build"}]}]}"#;
        let dependencies = vec!["countersign-store".to_owned(), "cc".to_owned()];
        let expected = Package { name: "countersign-server".to_owned(), dependencies };
        assert_eq!(packages(metadata).unwrap(), [expected]);
        for broken in ["", "{}", r#"{"packages": [{}]}"#] {
            assert!(packages(broken).is_err(), "reading {broken:?}");
        }
    }
}
