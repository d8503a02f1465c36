/// The Shannon entropy of `bytes`, in thousandths of a bit for each byte (0 to 8000).
///
/// Counted in integers, so that every machine says the same.
pub(super) fn millibits(bytes: &[u8]) -> u32 {
    let mut counts = [0_u64; 256];
    for byte in bytes {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let total = bytes.len() as u64;
    if total == 0 {
        return 0;
    }
    // H = log2(n) - sum(c * log2(c)) / n
    let weighted = counts.iter().filter(|it| 0 < **it).map(|it| u128::from(*it) * log2(*it)).sum();
    let bits = log2(total).saturating_sub(weighted_mean(weighted, total));
    u32::try_from((bits * 1000 + (1 << (FRACTION - 1))) >> FRACTION).unwrap_or(8000)
}

const FRACTION: u32 = 24;

fn weighted_mean(weighted: u128, total: u64) -> u128 {
    weighted / u128::from(total)
}

/// log2 of a number from 1 on, with [`FRACTION`] bits after the point, by repeated squaring.
fn log2(number: u64) -> u128 {
    let whole = number.max(1).ilog2();
    let mut rest = (u128::from(number.max(1)) << 32) >> whole;
    let mut result = u128::from(whole) << FRACTION;
    for bit in (0..FRACTION).rev() {
        rest = (rest * rest) >> 32;
        if (2 << 32) <= rest {
            rest >>= 1;
            result |= 1 << bit;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_what_shannon_says() {
        let every: Vec<u8> = (0..=255).collect();
        for (bytes, expected) in [
            (&b""[..], 0),
            (b"aaaaaaaa", 0),
            (b"abab", 1000),
            (b"abcd", 2000),
            (b"aab", 918),
            (b"0123456789abcdef", 4000),
            (&every, 8000),
        ] {
            assert_eq!(millibits(bytes), expected, "entropy of {bytes:?}");
        }
    }
}
