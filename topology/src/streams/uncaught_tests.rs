//! Functions that panic or are slow, and applications that are paused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::tests::{PATIENCE, cluster, config, start, values, wait_until, write};
use super::{Application, StreamThreadExceptionResponse, StreamsState};
use crate::cluster::memory::MemoryCluster;
use crate::dsl::{Consumed, Produced, StreamsBuilder};
use crate::graph::Topology;

/// Passes records on, and panics at those whose value is `bad` as often as it is said; how often it has.
fn panicking(times: usize) -> (Topology, Arc<AtomicUsize>) {
    let panicked = Arc::new(AtomicUsize::new(0));
    let seen = panicked.clone();
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let pass = move |_: &String, word: &String| {
        let is_bad = word == "bad" && seen.load(Ordering::SeqCst) < times;
        if is_bad {
            seen.fetch_add(1, Ordering::SeqCst);
            panic!("a bad word");
        }
        word.clone()
    };
    words.map_values(pass).to("totals", Produced::plain());
    (builder.build().unwrap(), panicked)
}

fn append(cluster: &MemoryCluster, value: &str) {
    let (key, value) = (Some(&b"k"[..]), Some(value.as_bytes()));
    cluster.append("words", 1, key, value, 1).unwrap();
}

#[test]
fn a_panic_ends_the_application_unless_something_else_is_said() {
    let cluster = cluster();
    let (topology, _) = panicking(1);
    let app = start(&cluster, &topology, config());
    append(&cluster, "bad");
    wait_until("it has ended", || app.state() == StreamsState::Error);
    let error = app.error().unwrap();
    assert!(error.contains("panicked: a bad word"), "{error}");
    assert!(app.close().is_err());
}

#[test]
fn a_thread_that_is_replaced_does_again_what_was_not_committed() {
    let cluster = cluster();
    let (topology, panicked) = panicking(3);
    let replace = config().on_uncaught(StreamThreadExceptionResponse::ReplaceThread);
    let app = start(&cluster, &topology, replace.num_stream_threads(2));
    app.wait_until_running(PATIENCE).unwrap();
    let begun = Instant::now();
    for word in ["one", "bad", "two"] {
        append(&cluster, word);
    }
    wait_until("all are passed on", || {
        values(&cluster) == ["bad", "one", "two"]
    });
    assert_eq!(panicked.load(Ordering::SeqCst), 3);
    let rests = Duration::from_millis(100 + 200 + 400);
    assert!(begun.elapsed() >= rests, "it rests longer each time");
    app.wait_until_running(PATIENCE).unwrap();
    assert_eq!(app.running_tasks().len(), 4);
    app.close().unwrap();
}

/// Passes words on; how many it has seen.
fn seeing() -> (Topology, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let seen = count.clone();
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let pass = move |_: &String, word: &String| {
        seen.fetch_add(1, Ordering::SeqCst);
        word.clone()
    };
    words.map_values(pass).to("totals", Produced::plain());
    (builder.build().unwrap(), count)
}

#[test]
fn nothing_is_processed_while_an_application_is_paused() {
    let cluster = cluster();
    let (topology, seen) = seeing();
    // Nothing but a pause has it commit.
    let slow = config().commit_interval(Duration::from_secs(3_600));
    let app = start(&cluster, &topology, slow);
    app.wait_until_running(PATIENCE).unwrap();
    assert!(!app.is_paused());
    write(&cluster, 0, 100);
    wait_until("all are seen", || seen.load(Ordering::SeqCst) == 100);
    app.pause();
    assert!(app.is_paused());
    wait_until("they are committed", || values(&cluster).len() == 100);

    write(&cluster, 100, 200);
    // A second instance that is paused gets its share, and only keeps it.
    let mut two = Application::new(&topology, Arc::new(cluster.clone()), config()).unwrap();
    two.pause();
    two.start().unwrap();
    wait_until("each has a half", || {
        app.running_tasks().len() == 2 && two.running_tasks().len() == 2
    });
    assert_eq!(seen.load(Ordering::SeqCst), 100);
    two.resume();
    wait_until("one goes on", || seen.load(Ordering::SeqCst) > 100);
    two.close().unwrap();
    wait_until("the other has all again", || app.running_tasks().len() == 4);
    assert!(seen.load(Ordering::SeqCst) < 200);
    app.resume();
    assert!(!app.is_paused());
    wait_until("all are seen", || seen.load(Ordering::SeqCst) == 200);
    app.close().unwrap();
    assert_eq!(values(&cluster).len(), 200);
}

#[test]
fn transactions_end_in_time_however_slow_functions_are() {
    let cluster = cluster();
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let slow = |_: &String, word: &String| {
        std::thread::sleep(Duration::from_millis(20));
        word.clone()
    };
    words.map_values(slow).to("totals", Produced::plain());
    let topology = builder.build().unwrap();
    let records = 160;
    for at in 0..records {
        append(&cluster, &format!("w{at}"));
    }
    // Two runs of this size take longer than a transaction may, and nothing else has it commit.
    let mut config = config()
        .commit_interval(Duration::from_secs(3_600))
        .transaction_timeout(Duration::from_secs(1));
    config.max_run = 64;
    let app = start(&cluster, &topology, config);
    wait_until("all but the last are committed", || {
        values(&cluster).len() >= 100
    });
    app.close().unwrap();
    let mut expected: Vec<String> = (0..records).map(|at| format!("w{at}")).collect();
    expected.sort();
    assert_eq!(values(&cluster), expected);
}

#[test]
fn a_panic_ends_all_instances_where_that_is_asked_for() {
    let cluster = cluster();
    let ending = || config().on_uncaught(StreamThreadExceptionResponse::ShutdownApplication);
    let (topology, _) = panicking(1);
    let one = start(&cluster, &topology, ending());
    let two = start(&cluster, &topology, ending());
    wait_until("each has a half", || {
        one.running_tasks().len() == 2 && two.running_tasks().len() == 2
    });
    append(&cluster, "bad");
    let apps = [&one, &two];
    wait_until("all have ended", || {
        apps.iter().all(|app| app.state() == StreamsState::Error)
    });
    let errors = apps.map(|app| app.error().unwrap());
    assert!(
        errors.iter().all(|e| e.contains("a bad word")),
        "{errors:?}"
    );
    let told = errors.iter().filter(|e| e.contains("ends the application"));
    assert_eq!(told.count(), 1, "{errors:?}");
    drop((one, two));

    // What was said then does not end what is started now.
    let again = start(&cluster, &topology, ending());
    again.wait_until_running(PATIENCE).unwrap();
    wait_until("it is done", || values(&cluster) == ["bad"]);
    again.close().unwrap();
}
