//! How far the server's run has come: a bar at a terminal, a line for each check elsewhere.

use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use serde_json::Value;

use crate::client::Client;
use crate::command::{Context, list, number, text};

/// How often the server is asked.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// Tells how far the run has come, until it is dropped; what was judged is kept for whoever interrupts.
pub(in crate::command) async fn follow(
    context: Context<'_>,
    client: &Client,
    target: &str,
) -> Infallible {
    let bar = bar(context);
    let mut told = 0;
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        // Whoever waits for the answer hears what is wrong; this only tells how far it is.
        let Ok(come) = client.get(&format!("/v1/integrations/{target}/progress")).await else {
            continue;
        };
        if come["running"] != true {
            continue;
        }
        let judged = list(&come, "judged");
        if judged.len() < told {
            // Another run of several.
            told = 0;
        }
        let total = number(&come, "total");
        for (index, it) in judged.iter().enumerate().skip(told) {
            if text(it, "verdict") == "not-applicable" {
                continue;
            }
            context.sent.judged(it.clone());
            if bar.is_none() && !context.ui.json {
                context.ui.say(format!("  {} of {total}  {}", index + 1, line(it)));
            }
        }
        told = judged.len();
        if let Some(bar) = &bar {
            bar.set_length(total);
            bar.set_position(u64::try_from(told).unwrap_or(u64::MAX));
            bar.set_message(judged.last().map(line).unwrap_or_default());
        }
    }
}

/// One check that came to its end.
pub(crate) fn line(judged: &Value) -> String {
    format!("{} {}: {}", text(judged, "check"), text(judged, "subject"), text(judged, "verdict"))
}

/// A bar on stderr, where somebody looks at it; it goes when it is dropped.
fn bar(context: Context<'_>) -> Option<ProgressBar> {
    if context.ui.json || context.ui.quiet || !std::io::stderr().is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template("  {bar:24} {pos} of {len}  {wide_msg}").ok()?;
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    bar.set_style(style);
    Some(bar.with_finish(ProgressFinish::AndClear))
}
