//! Function calls and windows.

use std::fmt::{self, Display, Formatter};

use super::expression::At;
use super::list::{Commas, Maybe, when};
use crate::ast::call::{
    Argument, Call, Frame, FrameBound, FrameExclude, FrameUnit, Lambda, NullTreatment, Over,
    WindowSpec,
};
use crate::ast::name::Name;
use crate::ast::precedence::Precedence;

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let distinct = when(self.distinct, "DISTINCT ");
        write!(f, "{}({distinct}", Callee(&self.name))?;
        match self.arguments.split_first() {
            // What stands before IN is the first operand of POSITION, unless it is in parentheses.
            Some((Argument::Expr(first), rest)) if self.name.is_bare("position") => {
                At(first, Precedence::Concat).fmt(f)?;
                rest.iter().try_for_each(|next| write!(f, ", {next}"))?;
            }
            _ => Commas(&self.arguments).fmt(f)?,
        }
        if !self.order_by.is_empty() {
            write!(f, " ORDER BY {}", Commas(&self.order_by))?;
        }
        f.write_str(")")?;
        if !self.within_group.is_empty() {
            write!(f, " WITHIN GROUP (ORDER BY {})", Commas(&self.within_group))?;
        }
        match self.nulls {
            None => {}
            Some(NullTreatment::Ignore) => f.write_str(" IGNORE NULLS")?,
            Some(NullTreatment::Respect) => f.write_str(" RESPECT NULLS")?,
        }
        if let Some(filter) = &self.filter {
            write!(f, " FILTER (WHERE {filter})")?;
        }
        write!(f, "{}", Maybe("OVER", &self.over))
    }
}

/// The name of a function: `LEFT` and `RIGHT` need no quotes there.
struct Callee<'a>(&'a Name);

impl Display for Callee<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.is_bare("left") || self.0.is_bare("right") {
            true => f.write_str(&self.0.last().text),
            false => self.0.fmt(f),
        }
    }
}

impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Argument::Expr(expr) => expr.fmt(f),
            Argument::Star => f.write_str("*"),
            Argument::Lambda(lambda) => lambda.fmt(f),
        }
    }
}

impl Display for Lambda {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.parameters.as_slice() {
            [parameter] => write!(f, "{parameter} => {}", self.body),
            parameters => write!(f, "({}) => {}", Commas(parameters), self.body),
        }
    }
}

impl Display for Over {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Over::Name(name) => name.fmt(f),
            Over::Window(window) => window.fmt(f),
        }
    }
}

impl Display for WindowSpec {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        if let Some(base) = &self.base {
            parts.push(base.to_string());
        }
        if !self.partition_by.is_empty() {
            parts.push(format!("PARTITION BY {}", Commas(&self.partition_by)));
        }
        if !self.order_by.is_empty() {
            parts.push(format!("ORDER BY {}", Commas(&self.order_by)));
        }
        if let Some(frame) = &self.frame {
            parts.push(frame.to_string());
        }
        write!(f, "({})", parts.join(" "))
    }
}

impl Display for Frame {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self.unit {
            FrameUnit::Rows => "ROWS",
            FrameUnit::Range => "RANGE",
            FrameUnit::Groups => "GROUPS",
        })?;
        match &self.end {
            None => write!(f, " {}", self.start)?,
            Some(end) => write!(f, " BETWEEN {} AND {end}", self.start)?,
        }
        f.write_str(match self.exclude {
            None => "",
            Some(FrameExclude::CurrentRow) => " EXCLUDE CURRENT ROW",
            Some(FrameExclude::Group) => " EXCLUDE GROUP",
            Some(FrameExclude::Ties) => " EXCLUDE TIES",
            Some(FrameExclude::NoOthers) => " EXCLUDE NO OTHERS",
        })
    }
}

impl Display for FrameBound {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            FrameBound::UnboundedPreceding => f.write_str("UNBOUNDED PRECEDING"),
            FrameBound::Preceding(distance) => write!(f, "{distance} PRECEDING"),
            FrameBound::CurrentRow => f.write_str("CURRENT ROW"),
            FrameBound::Following(distance) => write!(f, "{distance} FOLLOWING"),
            FrameBound::UnboundedFollowing => f.write_str("UNBOUNDED FOLLOWING"),
        }
    }
}
