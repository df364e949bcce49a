//! What patterns are made of.

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::functions) enum Item {
    /// This text.
    Text(String),
    /// A number of at least `least` digits, zeros before it; `most` digits are read at most.
    Number { of: Number, least: u8, most: u8 },
    /// The last two digits of a year from 2000 to 2099.
    ShortYear,
    /// The name of the month.
    Month(Name),
    /// The name of the day of the week.
    Weekday(Name),
    /// AM or PM.
    Half { upper: bool },
    /// The first digits of the second's fraction.
    Fraction(u8),
    /// The offset from UTC.
    Offset(Offset),
    /// The name of the zone, which is UTC.
    Zone,
    /// These, or nothing, where times are read.
    Optional(Vec<Item>),
}

/// How a name is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) struct Name {
    /// Whether it is cut to three letters.
    pub(super) short: bool,
    /// How its letters are.
    pub(super) case: Case,
    /// Whether spaces fill it up to nine letters.
    pub(super) padded: bool,
}

/// The letters of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) enum Case {
    Upper,
    Lower,
    Title,
}

/// How an offset from UTC is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) struct Offset {
    /// Whether UTC is `Z`.
    pub(super) zulu: bool,
    /// Whether minutes are left out where they are zero.
    pub(super) short: bool,
    /// Whether a colon stands before the minutes.
    pub(super) colon: bool,
}

/// The numbers of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::functions) enum Number {
    Year,
    Quarter,
    Month,
    Day,
    DayOfYear,
    /// The week of the ISO calendar.
    Week,
    /// The year of that week.
    WeekYear,
    /// Monday is 1.
    IsoWeekday,
    /// Sunday is 1.
    Weekday,
    /// 0 to 23.
    Hour,
    /// 1 to 24.
    HourFrom1,
    /// 1 to 12.
    HalfHour,
    /// 0 to 11.
    HalfHourFrom0,
    Minute,
    Second,
    Milli,
    Micro,
}
