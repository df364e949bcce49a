//! What the clock says, and chance.

use ferrisstreams_topology::data::{DataType, MICROS_PER_DAY};

use super::argument::{Argument, Outcome, Returned};
use super::function::Call;
use super::signature::{Entry, Gives, entry, form};

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &[
            "now",
            "current_timestamp",
            "clock_timestamp",
            "transaction_timestamp",
        ],
        "the time at which the record is processed",
        &[form(&[], Gives::Is(DataType::TimestampTz), now).volatile()],
    ),
    entry(
        &["localtimestamp"],
        "the time at which the record is processed, in UTC and without a zone",
        &[form(&[], Gives::Is(DataType::Timestamp), now).volatile()],
    ),
    entry(
        &["current_date"],
        "the day on which the record is processed, in UTC",
        &[form(&[], Gives::Is(DataType::Date), today).volatile()],
    ),
    entry(
        &["current_time", "localtime"],
        "the time of day at which the record is processed, in UTC",
        &[form(&[], Gives::Is(DataType::Time), time_of_day).volatile()],
    ),
    entry(
        &["random"],
        "a number of chance from 0 up to 1",
        &[form(&[], Gives::Is(DataType::Double), random).volatile()],
    ),
    entry(
        &["uuid", "gen_random_uuid"],
        "a new UUID of chance (version 4), as text",
        &[form(&[], Gives::Is(DataType::TEXT), uuid).volatile()],
    ),
];

fn now(call: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(call.now))
}

fn today(call: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(call.now.div_euclid(MICROS_PER_DAY)))
}

fn time_of_day(call: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(call.now.rem_euclid(MICROS_PER_DAY)))
}

fn random(call: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(call.random.fraction()))
}

fn uuid(call: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    let mut bits = u128::from(call.random.number()) << 64 | u128::from(call.random.number());
    // Version 4 of variant 1, as RFC 9562 has it.
    bits = bits & !(0xf << 76) | 4 << 76;
    bits = bits & !(0b11 << 62) | 0b10 << 62;
    let digits = format!("{bits:032x}");
    for (at, part) in [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)] {
        if at > 0 {
            call.out.push(b'-');
        }
        call.out.extend_from_slice(&digits.as_bytes()[at..part]);
    }
    Ok(Returned::Written)
}
