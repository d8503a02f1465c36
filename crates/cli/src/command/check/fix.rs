//! `check --fix`: edits that can only ask for less, or demand more. What a manifest states as a fact is
//! never made up.

use std::path::{Path, PathBuf};

use countersign_model::declare::edit::{Edit, apply};
use countersign_model::declare::{Format, Parsed, read};
use countersign_model::require::scope::scope_power;
use countersign_model::require::{Catalogue, Profile, computed_tier};

use super::rehearse;
use crate::args::CheckArgs;
use crate::command::{Context, manifest, profile, read_text};
use crate::exit::Exit;
use crate::failure::{Failure, Outcome};

/// An edit, and the name under which `--only` chooses it.
struct Proposal {
    check: &'static str,
    edit: Edit,
    sentence: String,
}

/// Edits the manifest, then rehearses it.
pub(super) async fn run(context: Context<'_>, path: &Path, args: &CheckArgs) -> Outcome {
    let parsed = manifest::load(context, path)?;
    let profile = profile::of(&parsed, Catalogue::embedded())?;
    let mut proposals = proposals(&parsed, profile);
    proposals.retain(|it| args.only.is_empty() || args.only.iter().any(|name| name == it.check));
    if proposals.is_empty() {
        context.ui.say("nothing here can be mended by an edit");
        return rehearse::run(context, path, args).await;
    }
    let text = read_text(path)?;
    let edits: Vec<Edit> = proposals.iter().map(|it| it.edit.clone()).collect();
    let no = |it: &dyn std::error::Error| {
        Failure::new(Exit::Usage, format!("`{}` cannot be edited", path.display())).because(it)
    };
    let edited = apply(&text, &edits).map_err(|it| no(&it))?;
    let file = path.display().to_string();
    if read(&edited, Format::of_file(&file)).is_err() {
        return Err(Failure::new(Exit::Usage, "the edits would leave no valid manifest")
            .help("mend it by hand; nothing was written"));
    }
    let before = before(path);
    std::fs::write(&before, &text).map_err(|it| Failure::file("write", &before, &it))?;
    std::fs::write(path, &edited).map_err(|it| Failure::file("write", path, &it))?;
    for proposal in &proposals {
        context.ui.say(format!("mended[{}]: {}", proposal.check, proposal.sentence));
    }
    context.ui.say(format!("undo: mv {} {file}\n", before.display()));
    rehearse::run(context, path, args).await
}

fn before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".before");
    PathBuf::from(name)
}

fn proposals(parsed: &Parsed, profile: &Profile) -> Vec<Proposal> {
    let manifest = &parsed.manifest;
    let mut found = Vec::new();
    for identity in &manifest.identities {
        for scope in &identity.scopes {
            let power = scope_power(scope.name.as_str());
            if power.wildcard || power.tenant_wide {
                found.push(Proposal {
                    check: "holds_no_wildcard_authority",
                    edit: Edit::RemoveScope {
                        identity: identity.id.to_string(),
                        scope: scope.name.to_string(),
                    },
                    sentence: format!("`{}` no longer asks for `{}`", identity.id, scope.name),
                });
            }
        }
    }
    if profile.max_age < manifest.recertify.max_age {
        let value = profile.max_age.to_string();
        found.push(Proposal {
            check: "bounds_age_of_evidence",
            sentence: format!("a decision lasts at most {value}"),
            edit: Edit::SetText { path: "recertify.max_age".to_owned(), value },
        });
    }
    let tier = computed_tier(manifest);
    if manifest.integration.tier < tier {
        let value = tier.to_string();
        found.push(Proposal {
            check: "declares_tier_no_lower_than_its_power",
            sentence: format!("the tier is `{value}`, as its power asks for"),
            edit: Edit::SetText { path: "integration.tier".to_owned(), value },
        });
    }
    found
}
