//! What an application counts.

use std::collections::BTreeMap;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};

use super::*;

#[test]
fn what_is_done_is_counted() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    // Other tests of this process count into it as well, under other ids.
    recorder.install().expect("no other test installs one");
    let cluster = cluster();
    let config = StreamsConfig::new("counted").commit_interval(Duration::from_millis(5));
    let app = start(&cluster, &counting(), config);
    write(&cluster, 0, 1_000);
    check(&cluster, 1_000);
    app.close().unwrap();
    let mut counted: BTreeMap<String, f64> = BTreeMap::new();
    for (key, _, _, value) in snapshotter.snapshot().into_vec() {
        let key = key.key();
        let is_ours = key
            .labels()
            .any(|l| (l.key(), l.value()) == ("application_id", "counted"));
        if !is_ours {
            continue;
        }
        let node = key.labels().find(|label| label.key() == "node");
        let node = node.map_or_else(String::new, |label| format!(" {}", label.value()));
        let value = match value {
            DebugValue::Counter(value) => value as f64,
            DebugValue::Gauge(value) => value.0,
            DebugValue::Histogram(values) => values.len() as f64,
        };
        counted.insert(format!("{}{node}", key.name()), value);
    }
    assert_eq!(counted["kafka_streams_thread_poll_records_total"], 1_000.0);
    assert_eq!(
        counted["kafka_streams_processor_node_process_total words"],
        1_000.0
    );
    assert_eq!(
        counted["kafka_streams_processor_node_failed_total words"],
        0.0
    );
    let commits = counted["kafka_streams_thread_commit_total"];
    assert!(commits >= 1.0);
    assert_eq!(counted["kafka_streams_thread_commit_seconds"], commits);
    assert_eq!(
        counted["kafka_streams_state"],
        f64::from(StreamsState::NotRunning as u8)
    );
    assert_eq!(counted["kafka_streams_active_tasks"], 0.0);
}
