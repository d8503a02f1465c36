/// Rewrites a pattern of Go's syntax so that it means the same to us, or says why it cannot.
///
/// Both are RE2 dialects. Where Go reads a literal and we would read an operator, a backslash is added;
/// where no such help exists, the pattern is refused rather than quietly read as something else.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut at = 0;
    while let Some(it) = chars.get(at).copied() {
        at = match it {
            '\\' => escape(&chars, at, &mut out)?,
            '[' => class(&chars, at, &mut out)?,
            '{' if !is_repetition(&chars, at) => push(&mut out, "\\{", at + 1),
            _ => {
                out.push(it);
                at + 1
            }
        };
    }
    Ok(out)
}

fn push(out: &mut String, text: &str, next: usize) -> usize {
    out.push_str(text);
    next
}

/// Copies the escape at `at`; returns where to go on.
fn escape(chars: &[char], at: usize, out: &mut String) -> Result<usize, String> {
    match chars.get(at + 1) {
        None => Err("ends with a single backslash".to_owned()),
        Some('p' | 'P') => Err("`\\p`: Unicode classes cannot be matched in bytes".to_owned()),
        Some('C') => Err("`\\C` is not supported".to_owned()),
        Some('1'..='9') => Err("back-references are not supported".to_owned()),
        // To us `\<` and `\>` are edges of words; to Go they are the signs themselves.
        Some(it @ ('<' | '>')) => {
            out.push(*it);
            Ok(at + 2)
        }
        Some('Q') => {
            let mut next = at + 2;
            while let Some(it) = chars.get(next) {
                if *it == '\\' && chars.get(next + 1) == Some(&'E') {
                    return Ok(next + 2);
                }
                out.push_str(&regex::escape(&it.to_string()));
                next += 1;
            }
            Ok(next)
        }
        Some(it) => {
            out.push('\\');
            out.push(*it);
            Ok(at + 2)
        }
    }
}

/// Copies the class at `at`; inside it, `[`, `&` and `~` are only signs to Go.
fn class(chars: &[char], at: usize, out: &mut String) -> Result<usize, String> {
    out.push('[');
    let mut next = at + 1;
    if chars.get(next) == Some(&'^') {
        out.push('^');
        next += 1;
    }
    if chars.get(next) == Some(&']') {
        out.push_str("\\]");
        next += 1;
    }
    while let Some(it) = chars.get(next).copied() {
        next = match it {
            ']' => {
                out.push(']');
                return Ok(next + 1);
            }
            '\\' => escape(chars, next, out)?,
            '[' if chars.get(next + 1) == Some(&':') => named_class(chars, next, out)?,
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(it);
                next + 1
            }
            '-' if chars.get(next + 1) == Some(&'-') => {
                return Err("`--` inside a class: write `\\-`".to_owned());
            }
            _ => {
                out.push(it);
                next + 1
            }
        };
    }
    Err("a class `[` is not closed".to_owned())
}

/// Copies `[:alpha:]`.
fn named_class(chars: &[char], at: usize, out: &mut String) -> Result<usize, String> {
    let rest = chars.get(at..).unwrap_or_default();
    let end = rest.windows(2).position(|it| it == [':', ']']).filter(|it| 1 < *it && *it < 12);
    let end = end.ok_or("a named class `[:` is not closed")?;
    out.extend(rest.iter().take(end + 2));
    Ok(at + end + 2)
}

/// Whether the brace at `at` opens `{2}`, `{2,}` or `{2,3}`; anything else is a brace to Go.
fn is_repetition(chars: &[char], at: usize) -> bool {
    let rest = chars.get(at + 1..).unwrap_or_default();
    let Some(end) = rest.iter().position(|it| *it == '}') else { return false };
    let inside: String = rest.iter().take(end).collect();
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    match inside.split_once(',') {
        None => is_number(&inside),
        Some((from, to)) => is_number(from) && (to.is_empty() || is_number(to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_go_mean_the_same_to_us() {
        for (go, expected) in [
            (r"(?i)a[\x60'\s=]{0,5}", Ok(r"(?i)a[\x60'\s=]{0,5}")),
            (r"\<a\>", Ok("<a>")),
            (r"[a[b&&c~~]", Ok(r"[a\[b\&\&c\~\~]")),
            (r"[[:alpha:]_]", Ok("[[:alpha:]_]")),
            (r"[]a]", Ok(r"[\]a]")),
            (r"{a}{,3}x{2,}", Ok(r"\{a}\{,3}x{2,}")),
            (r"\Qa.b\E+", Ok(r"a\.b+")),
            (r"\pL", Err("`\\p`: Unicode classes cannot be matched in bytes")),
            (r"(a)\1", Err("back-references are not supported")),
            (r"[+--]", Err("`--` inside a class: write `\\-`")),
            (r"[abc", Err("a class `[` is not closed")),
        ] {
            let got = translate(go);
            assert_eq!(got.as_deref().map_err(String::as_str), expected, "translating {go}");
        }
    }
}
