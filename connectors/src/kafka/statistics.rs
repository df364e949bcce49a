//! What the client library counts, for whoever collects it through the `metrics` facade.
//!
//! The library tells it every `statistics.interval.ms`, a property of the clients that is 0, for never, unless
//! it is set: telling costs some time.
//!
//! | name | labels | what |
//! |---|---|---|
//! | `kafka_client_queued_messages`, `kafka_client_queued_bytes` | | records that wait to be sent |
//! | `kafka_client_requests_total`, `kafka_client_responses_total` | | requests to brokers, and their answers |
//! | `kafka_client_sent_bytes_total`, `kafka_client_received_bytes_total` | | bytes of these |
//! | `kafka_client_sent_messages_total`, `kafka_client_received_messages_total` | | records |
//! | `kafka_client_broker_connected` | `broker` | 1 where there is a connection |
//! | `kafka_client_broker_errors_total` | `broker` | requests that could not be sent, or were not understood |
//! | `kafka_client_broker_timeouts_total` | `broker` | requests that were not answered in time |
//! | `kafka_client_broker_round_trip_seconds` | `broker`, `quantile` | 0.5 and 0.99 of the last interval |
//! | `kafka_client_broker_throttle_seconds` | `broker` | how long the broker held answers back, on average |
//! | `kafka_client_fetched_messages` | `topic`, `partition` | records that were fetched and wait |
//! | `kafka_client_consumer_lag` | `topic`, `partition` | records behind what was handed out last |
//!
//! All have `client_id`, `client` (one of the process, as the library calls it) and `type` (`consumer` or
//! `producer`).

use metrics::{Label, counter, gauge};
use rdkafka::statistics::{Broker, Partition, Statistics, Window};

/// Microseconds as seconds.
const MICROS: f64 = 1e-6;

/// Milliseconds as seconds.
const MILLIS: f64 = 1e-3;

/// Passes on what a client counts.
pub(super) fn tell(told: &Statistics) {
    let labels = vec![
        Label::new("client_id", told.client_id.clone()),
        Label::new("client", told.name.clone()),
        Label::new("type", told.client_type.clone()),
    ];
    gauge!("kafka_client_queued_messages", labels.clone()).set(told.msg_cnt as f64);
    gauge!("kafka_client_queued_bytes", labels.clone()).set(told.msg_size as f64);
    for (name, count) in [
        ("kafka_client_requests_total", told.tx),
        ("kafka_client_responses_total", told.rx),
        ("kafka_client_sent_bytes_total", told.tx_bytes),
        ("kafka_client_received_bytes_total", told.rx_bytes),
        ("kafka_client_sent_messages_total", told.txmsgs),
        ("kafka_client_received_messages_total", told.rxmsgs),
    ] {
        counter!(name, labels.clone()).absolute(count.unsigned_abs());
    }
    // Those that only stand for where brokers were looked for, or for what the library does itself, are none.
    for broker in told.brokers.values().filter(|broker| broker.nodeid >= 0) {
        tell_of_broker(&labels, broker);
    }
    for topic in told.topics.values() {
        let partitions = topic.partitions.values();
        for partition in partitions.filter(|partition| partition.partition >= 0) {
            tell_of_partition(&labels, &topic.topic, partition);
        }
    }
}

fn tell_of_broker(labels: &[Label], broker: &Broker) {
    let mut labels = labels.to_vec();
    labels.push(Label::new("broker", broker.nodename.clone()));
    let connected = broker.state == "UP";
    gauge!("kafka_client_broker_connected", labels.clone()).set(f64::from(u8::from(connected)));
    counter!("kafka_client_broker_errors_total", labels.clone())
        .absolute(broker.txerrs + broker.rxerrs);
    counter!("kafka_client_broker_timeouts_total", labels.clone()).absolute(broker.req_timeouts);
    // An interval without answers says nothing.
    let some = |window: &Option<Window>| window.as_ref().filter(|window| window.cnt > 0).cloned();
    if let Some(times) = some(&broker.rtt) {
        for (quantile, micros) in [("0.5", times.p50), ("0.99", times.p99)] {
            let mut labels = labels.clone();
            labels.push(Label::new("quantile", quantile));
            gauge!("kafka_client_broker_round_trip_seconds", labels).set(micros as f64 * MICROS);
        }
    }
    if let Some(times) = some(&broker.throttle) {
        gauge!("kafka_client_broker_throttle_seconds", labels).set(times.avg as f64 * MILLIS);
    }
}

fn tell_of_partition(labels: &[Label], topic: &str, partition: &Partition) {
    if !partition.desired {
        return;
    }
    let mut labels = labels.to_vec();
    labels.push(Label::new("topic", topic.to_owned()));
    labels.push(Label::new("partition", partition.partition.to_string()));
    gauge!("kafka_client_fetched_messages", labels.clone()).set(partition.fetchq_cnt as f64);
    if partition.consumer_lag >= 0 {
        gauge!("kafka_client_consumer_lag", labels).set(partition.consumer_lag as f64);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
    use rdkafka::ClientConfig;

    use super::*;
    use crate::kafka::listener::Listener;
    use crate::kafka::native::Producer;

    /// What was told, by name and the labels that tell it apart.
    fn told(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
        let all = snapshotter.snapshot().into_vec().into_iter();
        all.map(|(key, _, _, value)| {
            let labels = key.key().labels();
            let labels =
                labels.filter(|label| !label.key().starts_with("client") && label.key() != "type");
            let labels: Vec<&str> = labels.map(Label::value).collect();
            let name = format!("{} {}", key.key().name(), labels.join(" "));
            let value = match value {
                DebugValue::Counter(count) => count as f64,
                DebugValue::Gauge(value) => value.into_inner(),
                DebugValue::Histogram(_) => panic!("there are none"),
            };
            (name.trim_end().to_owned(), value)
        })
        .collect()
    }

    #[test]
    fn what_the_library_counts_is_passed_on() {
        let times = Window {
            cnt: 3,
            p50: 1_500,
            p99: 20_000,
            ..Window::default()
        };
        let broker = |nodeid, state: &str| Broker {
            nodeid,
            nodename: "host:9092".to_owned(),
            state: state.to_owned(),
            txerrs: 2,
            rxerrs: 1,
            rtt: Some(times.clone()),
            throttle: Some(Window::default()),
            ..Broker::default()
        };
        let mut statistics = Statistics {
            rx: 7,
            msg_cnt: 4,
            ..Statistics::default()
        };
        let brokers = &mut statistics.brokers;
        brokers.insert("host:9092/1".into(), broker(1, "UP"));
        brokers.insert("host:9092/bootstrap".into(), broker(-1, "INIT"));
        let topic = statistics.topics.entry("orders".into()).or_default();
        topic.topic = "orders".into();
        for (number, desired, consumer_lag) in [(0, true, 9), (1, true, -1), (2, false, 5)] {
            let partition = topic.partitions.entry(number).or_default();
            partition.partition = number;
            partition.desired = desired;
            partition.consumer_lag = consumer_lag;
        }
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        metrics::with_local_recorder(&recorder, || tell(&statistics));
        let told = told(&snapshotter);
        for (name, value) in [
            ("kafka_client_responses_total", 7.0),
            ("kafka_client_queued_messages", 4.0),
            ("kafka_client_broker_connected host:9092", 1.0),
            ("kafka_client_broker_errors_total host:9092", 3.0),
            (
                "kafka_client_broker_round_trip_seconds host:9092 0.5",
                0.0015,
            ),
            (
                "kafka_client_broker_round_trip_seconds host:9092 0.99",
                0.02,
            ),
            ("kafka_client_fetched_messages orders 1", 0.0),
            ("kafka_client_consumer_lag orders 0", 9.0),
        ] {
            assert_eq!(told.get(name), Some(&value), "{name} of {told:?}");
        }
        let lags = told.keys().filter(|name| name.contains("lag"));
        assert_eq!(lags.count(), 1, "{told:?}");
        let silent = told.keys().any(|name| name.contains("throttle"));
        assert!(!silent, "{told:?}");
    }

    #[test]
    fn producers_and_consumers_tell_it_where_an_interval_is_set() {
        let mut config = ClientConfig::new();
        config.set("statistics.interval.ms", "10");
        let producer = Producer::new(&config, Listener::default()).unwrap();
        config.set("group.id", "none");
        let consumer: crate::kafka::native::Consumer =
            config.create_with_context(Listener::default()).unwrap();
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        let types = || -> Vec<String> {
            let all = snapshotter.snapshot().into_vec().into_iter();
            let all = all.flat_map(|(key, ..)| key.key().labels().cloned().collect::<Vec<_>>());
            let mut types: Vec<String> = all
                .filter(|label| label.key() == "type")
                .map(|label| label.value().to_owned())
                .collect();
            types.sort();
            types.dedup();
            types
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        metrics::with_local_recorder(&recorder, || {
            while types() != ["consumer", "producer"] {
                assert!(Instant::now() < deadline, "only {:?} tell", types());
                producer.serve(Duration::from_millis(10));
                let _ = consumer.poll(Duration::from_millis(10));
            }
        });
    }
}
