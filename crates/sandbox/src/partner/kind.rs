//! The partners: the four of the mission, and one that plays every other role.

use super::Fault;

/// One of the partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// ACME Helpdesk, a SaaS vendor.
    Acme,
    /// Meridian Suite, which plays every role that a partner can have: the checks are held against it.
    Meridian,
    /// Northwind, a reseller.
    Northwind,
    /// PayRun, a payroll partner.
    Payrun,
    /// Shiftly Planner, a marketplace app.
    Shiftly,
}

impl Kind {
    /// The four of the mission and the one that the checks are held against.
    pub const EVERY: [Self; 5] =
        [Self::Acme, Self::Payrun, Self::Northwind, Self::Shiftly, Self::Meridian];

    /// The four of the mission, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Acme, Self::Payrun, Self::Northwind, Self::Shiftly];

    /// The name of its integration: `acme-helpdesk`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Acme => "acme-helpdesk",
            Self::Meridian => "meridian-suite",
            Self::Northwind => "northwind-resell",
            Self::Payrun => "payrun-hr",
            Self::Shiftly => "shiftly-planner",
        }
    }

    /// The hosts that it stands for.
    pub fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Acme => &["acme.example", "app.acme.example", "events.acme.example"],
            Self::Meridian => &["meridian.example"],
            Self::Northwind => &["northwind.example"],
            Self::Payrun => &["payrun.example", "api.payrun.example"],
            Self::Shiftly => &[
                "shiftly.example",
                "in.shiftly.example",
                "planner.shiftly.example",
                "git.shiftly.example",
            ],
        }
    }

    /// What is wrong with its wrong version.
    pub fn wrong(self) -> &'static [Fault] {
        match self {
            Self::Acme => {
                &[Fault::OverBroadScope, Fault::AcceptsUnsignedWebhook, Fault::SilentMisuse]
            }
            Self::Meridian => &[],
            Self::Northwind => &[
                Fault::UnattributedRequests,
                Fault::OverlongTokens,
                Fault::OffUseRequests,
                Fault::LogGap,
            ],
            Self::Payrun => &[Fault::OldKeyStaysAlive, Fault::RotationNeedsAPerson],
            Self::Shiftly => &[Fault::SecretInOldCommit, Fault::DeliversAfterDisable],
        }
    }

    /// The name under which the server holds the secret that opens the partner's own API.
    pub fn secret_name(self) -> &'static str {
        match self {
            Self::Acme => "acme-effects",
            Self::Meridian => "meridian-effects",
            Self::Northwind => "northwind-resell",
            Self::Payrun => "payrun-hr",
            Self::Shiftly => "shiftly-effects",
        }
    }
}
