//! Every step of the typed DSL by itself: a script of records in and out for each.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

mod script;

mod aggregate;
mod branch;
mod count;
mod describe;
mod filter;
mod flat_map;
mod for_each;
mod group_by;
mod join_on;
mod map;
mod map_values;
mod merge;
mod peek;
mod reduce;
mod select_key;
mod sink;
mod source;
mod stream_table_join;
mod table_aggregate;
mod table_count;
mod table_filter;
mod table_group_by;
mod table_map_values;
mod table_reduce;
mod table_table_join;
mod to_stream;
mod to_table;

use ferrisstreams_topology::codec::Plain;
use ferrisstreams_topology::dsl::{
    Consumed, KStream, KTable, Materialized, Produced, StreamsBuilder,
};
use ferrisstreams_topology::record::Data;

type Text = String;

/// A stream whose records may lack keys.
fn stream(builder: &StreamsBuilder, name: &str) -> KStream<Option<Text>, Text> {
    builder.stream(name, Consumed::plain())
}

/// A table of texts that can be read under its name.
fn table(builder: &StreamsBuilder, name: &str) -> KTable<Text, Text> {
    builder.table(name, Consumed::plain(), Materialized::named(name))
}

fn out<K: Data + Plain, V: Data + Plain>(stream: &KStream<K, V>) {
    stream.to("out", Produced::plain());
}

/// A text of what there is.
fn show(side: Option<&Text>) -> &str {
    side.map_or("-", Text::as_str)
}
