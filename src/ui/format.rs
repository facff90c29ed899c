//! Numbers, sizes and times as an artist reads them.

use std::time::Duration;

use bozzetto_asset::Direction;

/// A count with thin spaces between thousands, as in `12 480`.
pub fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() * 2);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{2009}');
        }
        text.push(digit);
    }
    text
}

/// A count in three digits or so, as in `4.2 M` or `50 k`.
pub fn short_count(value: usize) -> String {
    let value = value as f64;
    let scaled = |number: f64, unit: &str| {
        let digits = usize::from(number < 9.95);
        format!("{number:.digits$}\u{2009}{unit}")
    };
    if value >= 999_500.0 {
        scaled(value / 1e6, "M")
    } else if value >= 9_950.0 {
        scaled(value / 1e3, "k")
    } else {
        count(value as usize)
    }
}

/// A file size or amount of memory, as in `3.4 GB`.
pub fn bytes(value: u64) -> String {
    let value = value as f64;
    let (number, unit) = match value {
        v if v >= 1e9 => (v / 1e9, "GB"),
        v if v >= 1e6 => (v / 1e6, "MB"),
        v if v >= 1e3 => (v / 1e3, "kB"),
        v => (v, "bytes"),
    };
    let digits = usize::from(value >= 1e3 && number < 99.95);
    format!("{number:.digits$} {unit}")
}

/// A length of time, as in `8 s` or `2:05 min`.
pub fn duration(value: Duration) -> String {
    let secs = value.as_secs_f64();
    match secs {
        s if s < 9.95 => format!("{s:.1} s"),
        s if s < 59.5 => format!("{s:.0} s"),
        s if s < 3599.5 => {
            let whole = s.round() as u64;
            format!("{}:{:02} min", whole / 60, whole % 60)
        }
        s => {
            let minutes = (s / 60.0).round() as u64;
            format!("{}:{:02} h", minutes / 60, minutes % 60)
        }
    }
}

/// Time that is left, roughly: `about 20 s left`.
pub fn remaining(value: Duration) -> String {
    let secs = value.as_secs();
    match secs {
        0..=2 => "almost done".to_owned(),
        3..=9 => format!("about {secs} s left"),
        10..=59 => format!("about {} s left", secs.next_multiple_of(5)),
        60..=5399 => format!("about {} min left", (secs + 30) / 60),
        _ => format!("about {} h left", (secs + 1800) / 3600),
    }
}

/// A share as a percentage.
pub fn percent(share: f32) -> String {
    format!("{:.0} %", (share.clamp(0.0, 1.0) * 100.0).floor())
}

/// A direction as a word or as angles.
pub fn direction(direction: Direction) -> String {
    match direction {
        Direction::Front => "Front".to_owned(),
        Direction::Left => "Left".to_owned(),
        Direction::Back => "Back".to_owned(),
        Direction::Right => "Right".to_owned(),
        Direction::Top => "Top".to_owned(),
        Direction::Bottom => "Bottom".to_owned(),
        Direction::Free {
            azimuth_deg,
            elevation_deg,
        } => format!("{azimuth_deg:.0}°, {elevation_deg:.0}°"),
    }
}

/// A name without the ellipsis that buttons carry when they open something.
pub fn without_ellipsis(name: &str) -> &str {
    name.trim_end_matches('…')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_and_shortened() {
        assert_eq!(count(7), "7");
        assert_eq!(count(1_234_567), "1\u{2009}234\u{2009}567");
        assert_eq!(short_count(4_200_000), "4.2\u{2009}M");
        assert_eq!(short_count(50_000), "50\u{2009}k");
        assert_eq!(short_count(9_949), "9\u{2009}949");
        assert_eq!(short_count(999_600), "1.0\u{2009}M");
    }

    #[test]
    fn times_and_sizes_are_in_the_unit_a_person_would_take() {
        assert_eq!(duration(Duration::from_millis(7_340)), "7.3 s");
        assert_eq!(duration(Duration::from_secs(125)), "2:05 min");
        assert_eq!(duration(Duration::from_mins(62)), "1:02 h");
        assert_eq!(remaining(Duration::from_secs(1)), "almost done");
        assert_eq!(remaining(Duration::from_secs(17)), "about 20 s left");
        assert_eq!(remaining(Duration::from_secs(100)), "about 2 min left");
        assert_eq!(bytes(512), "512 bytes");
        assert_eq!(bytes(3_400_000_000), "3.4 GB");
        assert_eq!(percent(0.999), "99 %");
    }
}
