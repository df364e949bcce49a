//! Functions that choose among their arguments; the compiler makes code of them.

use super::function::Lazy;
use super::signature::{Entry, Parameter, entry, lazy};

const ANY: Parameter = Parameter::Common;

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["coalesce"],
        "the first argument that is not NULL",
        &[lazy(&[ANY], Lazy::Coalesce).open()],
    ),
    entry(
        &["ifnull", "nvl"],
        "the first argument, or the second where that is NULL",
        &[lazy(&[ANY, ANY], Lazy::Coalesce)],
    ),
    entry(
        &["nullif"],
        "the first argument, or NULL where it equals the second",
        &[lazy(&[ANY, ANY], Lazy::NullIf)],
    ),
    entry(
        &["greatest"],
        "the greatest argument; NULL does not count",
        &[lazy(&[ANY], Lazy::Greatest).open()],
    ),
    entry(
        &["least"],
        "the least argument; NULL does not count",
        &[lazy(&[ANY], Lazy::Least).open()],
    ),
    entry(
        &["as_value"],
        "the argument itself",
        &[lazy(&[ANY], Lazy::Same)],
    ),
];
