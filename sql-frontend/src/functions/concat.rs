//! Joining texts.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::function::Call;
use super::signature::{BYTES, Entry, Gives, Parameter, TEXT, entry, form};
use super::text_form::write_text;

const ANY: Parameter = Parameter::Any;
const GIVES: Gives = Gives::Is(DataType::TEXT);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["||"],
        "both one behind the other",
        &[
            form(&[TEXT, TEXT], GIVES, join),
            form(&[BYTES, BYTES], Gives::Is(DataType::Bytes), join),
            form(&[TEXT, ANY], GIVES, join_any),
            form(&[ANY, TEXT], GIVES, join_any),
        ],
    ),
    entry(
        &["concat"],
        "all one behind the other, without those that are NULL",
        &[
            form(&[BYTES, BYTES], Gives::Is(DataType::Bytes), concat)
                .open()
                .takes_null(),
            form(&[ANY], GIVES, concat).open().takes_null(),
        ],
    ),
    entry(
        &["concat_ws"],
        "all but the first and those that are NULL, with the first between them",
        &[form(&[TEXT, ANY], GIVES, concat_ws).open().takes_null()],
    ),
];

fn join(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    for argument in arguments {
        call.out.extend_from_slice(argument.bytes());
    }
    Ok(Returned::Written)
}

fn join_any(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    for (argument, data_type) in arguments.iter().zip(&call.function.arguments) {
        write_text(call.out, *argument, *data_type);
    }
    Ok(Returned::Written)
}

fn concat(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    if call.function.result == DataType::Bytes {
        for argument in arguments.iter().filter(|argument| !argument.is_null()) {
            call.out.extend_from_slice(argument.bytes());
        }
        return Ok(Returned::Written);
    }
    join_any(call, arguments)
}

fn concat_ws(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    if arguments[0].is_null() {
        return Ok(Returned::Null);
    }
    let separator = arguments[0].bytes();
    let mut first = true;
    for (argument, data_type) in arguments.iter().zip(&call.function.arguments).skip(1) {
        if argument.is_null() {
            continue;
        }
        if !first {
            call.out.extend_from_slice(separator);
        }
        first = false;
        write_text(call.out, *argument, *data_type);
    }
    Ok(Returned::Written)
}
