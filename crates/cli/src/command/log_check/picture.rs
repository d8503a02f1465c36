//! A log over time: a strip for the terminal, and a picture.

use std::fmt::Write as _;

use countersign_checks::log::report::Report;
use countersign_checks::log::timeline::Stretch;
use countersign_model::time::{Period, Timestamp};

use super::shares;

/// How many columns a strip has at most.
const COLUMNS_MAX: usize = 64;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Stretches of one length, from the first to the last, those without a line among them.
struct Columns {
    from: i64,
    width: i64,
    columns: Vec<Stretch>,
}

impl Columns {
    fn of(report: &Report, most: usize) -> Option<Self> {
        let timeline = &report.timeline;
        let first = *timeline.stretches.first_key_value()?.0;
        let last = *timeline.stretches.last_key_value()?.0;
        let mut width = timeline.width.max(1);
        let most = i64::try_from(most).unwrap_or(i64::MAX).max(1);
        while most <= (last - first) / width {
            width = width.checked_mul(2)?;
        }
        let count = usize::try_from((last - first) / width + 1).ok()?;
        let mut columns = vec![Stretch::default(); count];
        for (at, stretch) in &timeline.stretches {
            let column = usize::try_from((at - first) / width).ok()?;
            if let Some(it) = columns.get_mut(column) {
                it.good += stretch.good;
                it.failing += stretch.failing;
            }
        }
        Some(Self { from: first, width, columns })
    }

    fn highest(&self) -> u64 {
        self.columns.iter().map(|it| it.good + it.failing).max().unwrap_or_default().max(1)
    }

    fn until(&self) -> i64 {
        self.from + self.width * i64::try_from(self.columns.len()).unwrap_or_default()
    }
}

/// Two lines: how much there was, and where something failed. Nothing where all of it is one moment.
pub(crate) fn strip(report: &Report) -> Vec<String> {
    let Some(columns) = Columns::of(report, COLUMNS_MAX).filter(|it| 1 < it.columns.len()) else {
        return Vec::new();
    };
    let highest = columns.highest();
    let bar = |it: &Stretch| {
        let all = it.good + it.failing;
        let step = (all * (BARS.len() as u64 - 1)).div_ceil(highest);
        let at = usize::try_from(step).unwrap_or_default();
        if all == 0 { ' ' } else { BARS.get(at).copied().unwrap_or('█') }
    };
    let mark = |it: &Stretch| if 0 < it.failing { '✘' } else { ' ' };
    let bars: String = columns.columns.iter().map(bar).collect();
    let marks: String = columns.columns.iter().map(mark).collect();
    let from = Timestamp::from_seconds(columns.from);
    let width = Period::from_seconds(u64::try_from(columns.width).unwrap_or_default());
    let mut lines = vec![format!("  {from} │{bars}│ each column {width}, {highest} lines at most")];
    if marks.contains('✘') {
        let blank = " ".repeat(from.to_string().chars().count());
        lines.push(format!("  {blank} │{marks}│ lines that fail"));
    }
    lines
}

const WIDTH: usize = 960;
const HEIGHT: usize = 240;
const LEFT: usize = 16;
const TOP: usize = 56;
const BOTTOM: usize = 40;

/// The same as a picture: good lines below, failing ones on top, in two colours and two patterns.
pub(crate) fn svg(report: &Report) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<title>A log over time</title>\n"
    );
    let told: Vec<String> = shares(report)
        .iter()
        .filter(|it| 0 < it.1.all)
        .map(|(name, it)| format!("{name} {} of {}", it.good, it.all))
        .collect();
    let told = told.join(", ");
    let _infallible =
        writeln!(svg, "<desc>{told}</desc>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>");
    let _infallible = writeln!(svg, "<text x=\"{LEFT}\" y=\"24\" fill=\"#222\">{told}</text>");
    match Columns::of(report, 240) {
        None => {
            svg.push_str("<text x=\"16\" y=\"120\" fill=\"#222\">no line tells a time</text>\n");
        }
        Some(columns) => bars(&mut svg, &columns),
    }
    svg.push_str("</svg>\n");
    svg
}

fn bars(svg: &mut String, columns: &Columns) {
    let room = HEIGHT - TOP - BOTTOM;
    let highest = columns.highest();
    let height = |count: u64| {
        let scaled = u128::from(count) * room as u128;
        usize::try_from(scaled.div_ceil(u128::from(highest))).unwrap_or(room).min(room)
    };
    let step = ((WIDTH - 2 * LEFT) / columns.columns.len().max(1)).max(1);
    let bar = step.saturating_sub(1).max(1);
    let floor = HEIGHT - BOTTOM;
    for (at, column) in columns.columns.iter().enumerate() {
        let all = height(column.good + column.failing);
        let failing = height(column.failing).min(all);
        let x = LEFT + at * step;
        let rect = |y: usize, height: usize, look: &str| {
            format!("<rect x=\"{x}\" y=\"{y}\" width=\"{bar}\" height=\"{height}\" {look}/>\n")
        };
        if 0 < all - failing {
            svg.push_str(&rect(floor - all + failing, all - failing, "fill=\"#3b6ea5\""));
        }
        if 0 < failing {
            let look = "fill=\"#c0392b\" stroke=\"#222\" stroke-width=\"0.5\"";
            svg.push_str(&rect(floor - all, failing, look));
        }
    }
    let (from, until) =
        (Timestamp::from_seconds(columns.from), Timestamp::from_seconds(columns.until()));
    let width = Period::from_seconds(u64::try_from(columns.width).unwrap_or_default());
    let (y, right) = (floor + 24, WIDTH - LEFT);
    let _infallible = writeln!(
        svg,
        "<line x1=\"{LEFT}\" y1=\"{floor}\" x2=\"{right}\" y2=\"{floor}\" stroke=\"#222\"/>\n\
         <text x=\"{LEFT}\" y=\"{y}\" fill=\"#222\">{from}</text>\n\
         <text x=\"{right}\" y=\"{y}\" text-anchor=\"end\" fill=\"#222\">{until}</text>\n\
         <text x=\"{LEFT}\" y=\"44\" fill=\"#555\">each column {width}; {highest} lines at most; \
         failing lines in red, with an edge</text>"
    );
}
