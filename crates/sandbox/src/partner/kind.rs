//! The four partners.

use super::Fault;

/// One of the four partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// ACME Helpdesk, a SaaS vendor.
    Acme,
    /// Northwind, a reseller.
    Northwind,
    /// PayRun, a payroll partner.
    Payrun,
    /// Shiftly Planner, a marketplace app.
    Shiftly,
}

impl Kind {
    /// All four, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Acme, Self::Payrun, Self::Northwind, Self::Shiftly];

    /// The name of its integration: `acme-helpdesk`.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Acme => "acme-helpdesk",
            Self::Northwind => "northwind-resell",
            Self::Payrun => "payrun-hr",
            Self::Shiftly => "shiftly-planner",
        }
    }

    /// The hosts that it stands for.
    pub fn hosts(self) -> &'static [&'static str] {
        match self {
            Self::Acme => &["acme.example", "app.acme.example", "events.acme.example"],
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
            Self::Northwind => "northwind-resell",
            Self::Payrun => "payrun-hr",
            Self::Shiftly => "shiftly-effects",
        }
    }
}
