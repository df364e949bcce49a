//! Times written by patterns.

use ferrisstreams_topology::data::MICROS_PER_DAY;
use ferrisstreams_topology::data::datetime::{
    Field, MICROS_PER_SECOND, MONTHS, WEEKDAYS, civil, extract, weekday,
};

use super::item::{Case, Item, Name, Number, Offset};

/// Appends a time, which is as many microseconds ahead of UTC as `offset` says.
pub(in crate::functions) fn write(out: &mut Vec<u8>, items: &[Item], time: i64, offset: i64) {
    let date = time.div_euclid(MICROS_PER_DAY) as i32;
    let (year, month, _) = civil(date);
    for item in items {
        match item {
            Item::Text(text) => out.extend_from_slice(text.as_bytes()),
            Item::Number { of, least, .. } => write_number(out, value(*of, time), *least),
            Item::ShortYear => write_number(out, i64::from(year.rem_euclid(100)), 2),
            Item::Month(name) => write_name(out, MONTHS[month as usize - 1], *name),
            Item::Weekday(name) => write_name(out, WEEKDAYS[weekday(date) as usize], *name),
            Item::Half { upper } => {
                let is_morning = extract(Field::Hour, time) < 12;
                out.extend_from_slice(match (is_morning, upper) {
                    (true, true) => b"AM",
                    (false, true) => b"PM",
                    (true, false) => b"am",
                    (false, false) => b"pm",
                });
            }
            Item::Fraction(digits) => {
                write_fraction(out, time.rem_euclid(MICROS_PER_SECOND), *digits)
            }
            Item::Offset(form) => write_offset(out, offset, *form),
            Item::Zone if offset == 0 => out.extend_from_slice(b"UTC"),
            Item::Zone => write_offset(
                out,
                offset,
                Offset {
                    zulu: false,
                    short: false,
                    colon: true,
                },
            ),
            Item::Optional(items) => write(out, items, time, offset),
        }
    }
}

fn value(of: Number, time: i64) -> i64 {
    let field = |field| extract(field, time);
    match of {
        Number::Year => field(Field::Year),
        Number::Quarter => field(Field::Quarter),
        Number::Month => field(Field::Month),
        Number::Day => field(Field::Day),
        Number::DayOfYear => field(Field::DayOfYear),
        Number::Week => field(Field::Week),
        Number::WeekYear => field(Field::IsoYear),
        Number::IsoWeekday => field(Field::IsoDayOfWeek),
        Number::Weekday => field(Field::DayOfWeek) + 1,
        Number::Hour => field(Field::Hour),
        Number::HourFrom1 => (field(Field::Hour) + 23) % 24 + 1,
        Number::HalfHour => (field(Field::Hour) + 11) % 12 + 1,
        Number::HalfHourFrom0 => field(Field::Hour) % 12,
        Number::Minute => field(Field::Minute),
        Number::Second => field(Field::Second) / MICROS_PER_SECOND,
        Number::Milli => time.rem_euclid(MICROS_PER_SECOND) / 1000,
        Number::Micro => time.rem_euclid(MICROS_PER_SECOND),
    }
}

fn write_number(out: &mut Vec<u8>, value: i64, least: u8) {
    let digits = value.unsigned_abs().to_string();
    if value < 0 {
        out.push(b'-');
    }
    out.resize(
        out.len() + usize::from(least).saturating_sub(digits.len()),
        b'0',
    );
    out.extend_from_slice(digits.as_bytes());
}

fn write_name(out: &mut Vec<u8>, full: &str, name: Name) {
    let text = if name.short { &full[..3] } else { full };
    let start = out.len();
    out.extend_from_slice(text.as_bytes());
    match name.case {
        Case::Upper => out[start..].make_ascii_uppercase(),
        Case::Lower => out[start..].make_ascii_lowercase(),
        Case::Title => {}
    }
    if name.padded {
        out.resize(out.len().max(start + 9), b' ');
    }
}

fn write_fraction(out: &mut Vec<u8>, micros: i64, digits: u8) {
    let text = format!("{micros:06}000");
    out.extend_from_slice(&text.as_bytes()[..usize::from(digits)]);
}

fn write_offset(out: &mut Vec<u8>, offset: i64, form: Offset) {
    if offset == 0 && form.zulu {
        out.push(b'Z');
        return;
    }
    let minutes = offset / (60 * MICROS_PER_SECOND);
    out.push(if minutes < 0 { b'-' } else { b'+' });
    write_number(out, minutes.abs() / 60, 2);
    if form.short && minutes % 60 == 0 {
        return;
    }
    if form.colon {
        out.push(b':');
    }
    write_number(out, minutes.abs() % 60, 2);
}
