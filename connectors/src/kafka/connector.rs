//! The connector for `kafka://`.

use ferrisstreams_topology::connector::{
    ConnectorError, ResolvedSink, ResolvedSource, SinkRequest, SourceRequest,
};

use super::{place, resolve_sink, resolve_source};
use crate::connector::{Connector, Context};
use crate::options::OptionReader;
use crate::uri::Uri;

/// Topics of Kafka clusters.
///
/// `kafka://topic` is a topic of the default cluster, `kafka://connection/topic` one of a named
/// connection, `kafka://host:port/topic` one of the cluster that this broker belongs to. Properties of
/// clients, by librdkafka's names, may stand among the options.
///
/// Both ways:
///
/// - `format` (`value_format`), `key_format` and what belongs to a format; values are JSON unless something
///   else is said, keys of one column Kafka's own form, keys of several JSON;
/// - `key_in_value`: whether values hold the columns of the key as well; no, unless they were found out
///   from a sample;
/// - `partitions`, `replicas`: the topic is made so if it is not there;
/// - `connect_timeout`: how long brokers may take to answer when something is opened for the first time;
///   10 seconds;
/// - `restart_timeout`: how long brokers that are away are tried when a program starts again that has read
///   or written the topic before; 5 minutes. Meanwhile the health says that they are away. Sinks that
///   have written before are tried without end, as while the program runs.
///
/// Reading:
///
/// - `from`: `earliest`, `latest`, or a time; where partitions are begun that were never read;
/// - `on_lost`: whether reading fails, or skips and counts, where records were deleted before they were
///   read; `fail`;
/// - `on_untimed`: whether records without a time are left out and counted, fail, or are kept; `skip`, and
///   `keep` where `timestamp` names a column;
/// - `load_first`: whether streams that meet the table wait until it is loaded; no;
/// - `refresh_interval`: how often the topic is asked for new partitions; 10 seconds;
/// - `timestamp`, `timestamp_format`, `on_error`: as for every source.
///
/// Writing:
///
/// - `guarantee`: `exactly_once`, or `at_least_once`;
/// - `transactional_id_prefix`: what stands before the sink's name in the id of its transactions and the
///   name of the group in which it counts; two programs that write under the same names need two;
/// - `key`: the columns that keys are made of, where rows are only added.
///
/// An application on a cluster reads and writes topics itself: its brokers are those of the default cluster,
/// and it takes none of the options `from` other than `earliest`, `on_lost = 'skip'`,
/// `on_untimed = 'fail'`, nor properties of a single topic. It writes in its own transactions, so that every
/// record is there once whatever `guarantee` and `transactional_id_prefix` say.
///
/// The key columns of what is declared stand in the keys of records. Where nothing is declared, the last
/// records tell the columns, and the column that equals their keys is the key. A topic with such a key can
/// be read as a table, in which a record without a value deletes; any other is a stream.
#[derive(Debug, Clone, Copy, Default)]
pub struct KafkaConnector;

impl Connector for KafkaConnector {
    fn schemes(&self) -> &[&str] {
        &["kafka"]
    }

    fn source(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SourceRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSource, ConnectorError> {
        resolve_source::resolve(uri, options, request, context)
    }

    fn sink(
        &self,
        uri: &Uri,
        options: &mut OptionReader,
        request: &SinkRequest,
        context: &Context<'_>,
    ) -> Result<ResolvedSink, ConnectorError> {
        resolve_sink::resolve(uri, options, request, context)
    }

    fn connection(&self, name: &str, options: &mut OptionReader) -> Result<(), ConnectorError> {
        place::check_connection(name, options)
    }

    fn has_connections(&self) -> bool {
        true
    }
}
