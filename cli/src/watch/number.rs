//! Numbers for people.

/// A count with its thousands apart: `1,234,567`.
pub(super) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A rate with its unit: `1.9 M rows/s`.
pub(super) fn rate(per_second: f64, unit: &str) -> String {
    match per_second {
        n if n >= 1e6 => format!("{:.1} M {unit}/s", n / 1e6),
        n if n >= 1e4 => format!("{:.0} k {unit}/s", n / 1e3),
        n => format!("{n:.0} {unit}/s"),
    }
}

/// A time that is left: `0:04`, `1:02:03`.
pub(super) fn left(seconds: f64) -> String {
    let seconds = seconds.clamp(0.0, 359_999.0).ceil() as u64;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// A bar of `width` places that is filled up to `share`, which is between 0 and 1.
pub(super) fn bar(share: f64, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (share.clamp(0.0, 1.0) * width as f64 * 8.0) as usize;
    let (full, part) = (eighths / 8, eighths % 8);
    let mut bar = "█".repeat(full);
    bar.push_str(PARTS[part]);
    let drawn = full + usize::from(part > 0);
    bar.push_str(&" ".repeat(width - drawn));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(rate(7.4, "changes"), "7 changes/s");
        assert_eq!(rate(1_900_000.0, "rows"), "1.9 M rows/s");
        assert_eq!(rate(25_400.0, "rows"), "25 k rows/s");
        assert_eq!(left(3.2), "0:04");
        assert_eq!(left(3_723.0), "1:02:03");
    }

    #[test]
    fn bars_have_the_same_width_whatever_they_show() {
        for share in [-1.0, 0.0, 0.01, 0.5, 0.61, 0.999, 1.0, 2.0] {
            assert_eq!(bar(share, 20).chars().count(), 20, "{share}");
        }
        assert_eq!(bar(0.5, 4), "██  ");
    }
}
