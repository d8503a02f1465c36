//! Everything that may be required, read once.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;

use super::control::Control;
use super::embedded::{CONTROLS, FRAMEWORKS, File, PROFILES, TRIGGERS};
use super::framework::{Framework, IdError};
use super::profile::Profile;
use super::trigger::Triggers;

/// Controls, profiles, frameworks and triggers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogue {
    /// Every control, family by family.
    pub controls: Vec<Control>,
    /// Every profile.
    pub profiles: Vec<Profile>,
    /// Every framework that a control may cite.
    pub frameworks: Vec<Framework>,
    /// What asks for recertification.
    pub triggers: Triggers,
}

/// The catalogue does not fit together.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// A control cites what is not there.
    #[error("control `{control}` cites a wrong id")]
    Citation {
        /// The control.
        control: String,
        /// What is wrong with the id.
        source: IdError,
    },
    /// Two things have one name.
    #[error("`{0}` is there twice")]
    Duplicate(String),
    /// A file is not what it should be.
    #[error("catalogue file `{file}` cannot be read")]
    File {
        /// The file, below `catalogue/`.
        file: String,
        /// What the reader said.
        source: Box<toml::de::Error>,
    },
    /// A control has neither checks nor a word on what stands in for them, or both.
    #[error("control `{0}` needs either checks or `automation`")]
    Undecided(String),
    /// Something names what is not there.
    #[error("{by} names `{name}`, which is not in the catalogue")]
    Unknown {
        /// What names it.
        by: String,
        /// What is named.
        name: String,
    },
}

impl Catalogue {
    /// The catalogue that is compiled in.
    pub fn embedded() -> &'static Self {
        static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
        CATALOGUE.get_or_init(|| {
            #[expect(clippy::expect_used, reason = "a test reads these very files")]
            Self::read(CONTROLS, PROFILES, FRAMEWORKS, TRIGGERS).expect("the catalogue is sound")
        })
    }

    /// Reads files, and makes sure that everything they name exists.
    fn read(
        controls: &[File],
        profiles: &[File],
        frameworks: &[File],
        triggers: File,
    ) -> Result<Self, CatalogueError> {
        let catalogue = Self {
            controls: all(controls)?,
            profiles: all(profiles)?,
            frameworks: all(frameworks)?,
            triggers: one(&triggers)?,
        };
        catalogue.check()?;
        Ok(catalogue)
    }

    /// One control by its id.
    pub fn control(&self, id: &str) -> Option<&Control> {
        self.controls.iter().find(|it| it.id == id)
    }

    /// One profile by its name: `saas-vendor@1`.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|it| it.name() == name)
    }

    /// One framework by its key: `csf2`.
    pub fn framework(&self, key: &str) -> Option<&Framework> {
        self.frameworks.iter().find(|it| it.key == key)
    }

    /// The names of all checks that decide anything.
    pub fn checks(&self) -> BTreeSet<&str> {
        self.controls.iter().flat_map(|it| &it.checks).map(String::as_str).collect()
    }

    /// The controls that a check decides, in the catalogue's order.
    pub fn controls_of<'a>(&'a self, check: &'a str) -> impl Iterator<Item = &'a Control> {
        self.controls.iter().filter(move |it| it.checks.iter().any(|it| it == check))
    }

    /// The checks that a trigger reopens; one that is not known reopens all.
    pub fn reopened_by(&self, trigger: &str) -> BTreeSet<&str> {
        self.triggers.reopened_by(trigger).unwrap_or_else(|| self.checks())
    }

    /// How findings cite other frameworks for a control: `OWASP-NHI5:2025`, `CSF2:PR.AA-05`, `DOC:NHI-01`.
    pub fn maps_of(&self, control: &Control) -> Vec<String> {
        let cited = |it: &Framework| control.map.get(&it.key).map(|ids| it.labels(ids));
        self.frameworks.iter().filter_map(cited).flatten().collect()
    }

    fn check(&self) -> Result<(), CatalogueError> {
        let names = self.controls.iter().map(|it| it.id.clone());
        let names = names.chain(self.profiles.iter().map(Profile::name));
        let mut seen = BTreeSet::new();
        for name in names.chain(self.frameworks.iter().map(|it| it.key.clone())) {
            if !seen.insert(name.clone()) {
                return Err(CatalogueError::Duplicate(name));
            }
        }
        for control in &self.controls {
            self.check_control(control)?;
        }
        for profile in &self.profiles {
            self.check_profile(profile)?;
        }
        let checks = self.checks();
        let reopened = self.triggers.each.values().flat_map(|it| &it.reopens);
        match self.triggers.always.iter().chain(reopened).find(|it| !checks.contains(it.as_str())) {
            Some(name) => Err(unknown("triggers", name)),
            None => Ok(()),
        }
    }

    fn check_control(&self, control: &Control) -> Result<(), CatalogueError> {
        if control.checks.is_empty() != control.automation.is_some() {
            return Err(CatalogueError::Undecided(control.id.clone()));
        }
        for (key, ids) in &control.map {
            let framework = self.framework(key).ok_or_else(|| unknown(&control.id, key))?;
            for id in ids {
                framework.check(id).map_err(|source| CatalogueError::Citation {
                    control: control.id.clone(),
                    source,
                })?;
            }
        }
        Ok(())
    }

    fn check_profile(&self, profile: &Profile) -> Result<(), CatalogueError> {
        let by = profile.name();
        let controls =
            profile.levels.keys().chain(profile.thresholds.keys()).chain(&profile.waiver.never);
        for id in controls {
            self.control(id).ok_or_else(|| unknown(&by, id))?;
        }
        for (id, figures) in &profile.thresholds {
            let known = self.control(id).map(|it| &it.thresholds);
            if let Some(name) =
                figures.keys().find(|it| known.is_none_or(|all| !all.contains_key(*it)))
            {
                return Err(unknown(&by, &format!("{id}.{name}")));
            }
        }
        let known = |it: &&String| !self.triggers.each.contains_key(*it);
        profile.suspend_on.iter().find(known).map_or(Ok(()), |it| Err(unknown(&by, it)))
    }
}

fn unknown(by: &str, name: &str) -> CatalogueError {
    CatalogueError::Unknown { by: by.to_owned(), name: name.to_owned() }
}

fn all<T: DeserializeOwned>(files: &[File]) -> Result<Vec<T>, CatalogueError> {
    files.iter().map(one).collect()
}

fn one<T: DeserializeOwned>((name, text): &File) -> Result<T, CatalogueError> {
    toml::from_str(text).map_err(|source| CatalogueError::File {
        file: (*name).to_owned(),
        source: Box::new(source),
    })
}

#[cfg(test)]
mod tests;
