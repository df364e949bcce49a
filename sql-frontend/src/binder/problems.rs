//! What went wrong in binding a statement: independent mistakes are told together.

use crate::error::Diagnostic;

/// Mistakes, at least one.
#[derive(Debug, Clone)]
pub(crate) struct Problems(pub(crate) Vec<Diagnostic>);

impl From<Diagnostic> for Problems {
    fn from(diagnostic: Diagnostic) -> Self {
        Problems(vec![diagnostic])
    }
}

/// What binding gives, or all that is wrong.
pub(crate) type Bound<T> = Result<T, Problems>;

/// All results, or all mistakes.
pub(crate) fn all<T>(results: impl IntoIterator<Item = Bound<T>>) -> Bound<Vec<T>> {
    let mut values = Vec::new();
    let mut problems = Vec::new();
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(Problems(more)) => problems.extend(more),
        }
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(Problems(problems))
    }
}

/// Both results, or the mistakes of both.
pub(crate) fn both<A, B>(a: Bound<A>, b: Bound<B>) -> Bound<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Problems(mut problems)), Err(Problems(more))) => {
            problems.extend(more);
            Err(Problems(problems))
        }
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
    }
}
