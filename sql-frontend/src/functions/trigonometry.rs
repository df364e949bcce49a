//! Angles, in radians unless they say otherwise, and distances on the Earth.

use std::f64::consts::PI;

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::function::{Body, Call};
use super::power::finite;
use super::signature::{DOUBLE, Entry, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::Double);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(&["pi"], "the number pi", &[form(&[], GIVES, pi)]),
    entry(
        &["degrees"],
        "the angle in degrees",
        &[form(&[DOUBLE], GIVES, DEGREES)],
    ),
    entry(
        &["radians"],
        "the angle of degrees in radians",
        &[form(&[DOUBLE], GIVES, RADIANS)],
    ),
    entry(&["sin"], "the sine", &[form(&[DOUBLE], GIVES, SIN)]),
    entry(&["cos"], "the cosine", &[form(&[DOUBLE], GIVES, COS)]),
    entry(&["tan"], "the tangent", &[form(&[DOUBLE], GIVES, TAN)]),
    entry(&["cot"], "the cotangent", &[form(&[DOUBLE], GIVES, cot)]),
    entry(
        &["asin"],
        "the angle of a sine",
        &[form(&[DOUBLE], GIVES, asin)],
    ),
    entry(
        &["acos"],
        "the angle of a cosine",
        &[form(&[DOUBLE], GIVES, acos)],
    ),
    entry(
        &["atan"],
        "the angle of a tangent",
        &[form(&[DOUBLE], GIVES, ATAN)],
    ),
    entry(
        &["atan2"],
        "the angle of the point with that y and x",
        &[form(&[DOUBLE, DOUBLE], GIVES, atan2)],
    ),
    entry(
        &["sinh"],
        "the hyperbolic sine",
        &[form(&[DOUBLE], GIVES, SINH)],
    ),
    entry(
        &["cosh"],
        "the hyperbolic cosine",
        &[form(&[DOUBLE], GIVES, COSH)],
    ),
    entry(
        &["tanh"],
        "the hyperbolic tangent",
        &[form(&[DOUBLE], GIVES, TANH)],
    ),
    entry(
        &["geo_distance"],
        "the distance of two places on the Earth, each by its latitude and longitude, in KM or MI",
        &[
            form(&[DOUBLE, DOUBLE, DOUBLE, DOUBLE], GIVES, geo_distance),
            form(&[DOUBLE, DOUBLE, DOUBLE, DOUBLE, TEXT], GIVES, geo_distance),
        ],
    ),
];

/// A body of a function of one number.
macro_rules! body {
    ($function:expr) => {
        |_, arguments| {
            let value = arguments[0].float();
            let function: fn(f64) -> f64 = $function;
            finite(function(value), &[value])
        }
    };
}

const DEGREES: Body = body!(f64::to_degrees);
const RADIANS: Body = body!(f64::to_radians);
const SIN: Body = body!(f64::sin);
const COS: Body = body!(f64::cos);
const TAN: Body = body!(f64::tan);
const ATAN: Body = body!(f64::atan);
const SINH: Body = body!(f64::sinh);
const COSH: Body = body!(f64::cosh);
const TANH: Body = body!(f64::tanh);

fn pi(_: &mut Call<'_>, _: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(PI))
}

fn cot(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let value = arguments[0].float();
    if value == 0.0 {
        return Err("the cotangent of 0".into());
    }
    Ok(Returned::Float(1.0 / value.tan()))
}

/// The angle of a sine or cosine, which lie from -1 to 1.
fn angle(value: f64, angle: fn(f64) -> f64) -> Outcome {
    if value.abs() > 1.0 {
        return Err(format!("no angle has a sine or cosine of {value}").into());
    }
    Ok(Returned::Float(angle(value)))
}

fn asin(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    angle(arguments[0].float(), f64::asin)
}

fn acos(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    angle(arguments[0].float(), f64::acos)
}

fn atan2(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Float(
        arguments[0].float().atan2(arguments[1].float()),
    ))
}

/// By the haversine formula, on a sphere.
fn geo_distance(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    const RADIUS_KM: f64 = 6371.0;
    const RADIUS_MILES: f64 = 3959.0;
    let unit = arguments.get(4).map_or("KM", |unit| unit.text());
    let radius = if ["KM", "KILOMETER", "KILOMETERS"]
        .iter()
        .any(|u| u.eq_ignore_ascii_case(unit))
    {
        RADIUS_KM
    } else if ["MI", "MILE", "MILES"]
        .iter()
        .any(|u| u.eq_ignore_ascii_case(unit))
    {
        RADIUS_MILES
    } else {
        return Err(format!("distances are in KM or MI, not in '{unit}'").into());
    };
    let [lat1, lon1, lat2, lon2] = [0, 1, 2, 3].map(|at| arguments[at].float());
    for (value, most) in [(lat1, 90.0), (lat2, 90.0), (lon1, 180.0), (lon2, 180.0)] {
        if value.is_nan() || value.abs() > most {
            return Err(format!("{value} is beyond {most} degrees").into());
        }
    }
    let (high, wide) = (
        (lat2 - lat1).to_radians() / 2.0,
        (lon2 - lon1).to_radians() / 2.0,
    );
    let part = lat1.to_radians().cos() * lat2.to_radians().cos();
    let square = high.sin().powi(2) + part * wide.sin().powi(2);
    Ok(Returned::Float(
        radius * 2.0 * square.sqrt().min(1.0).asin(),
    ))
}
