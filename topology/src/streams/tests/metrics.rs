//! What an application counts.

use std::collections::BTreeSet;

use super::*;
use crate::cluster::memory::LoggedRecord;
use crate::meter::names;
use crate::meter::recorder::{Counted, record};
use crate::streams::metrics::{ReplicaMetrics, of_instance};
use crate::streams::partitioner::Partitioner;
use crate::ticker::Ticker;
use crate::time::Clock;

/// What an instance has counted so far.
fn counted_by(app: &Application) -> Counted {
    Counted::by(&app.env.instance)
}

/// The name of an instance, which outlives it.
fn instance(app: &Application) -> String {
    app.env.instance.clone()
}

/// An application that commits where it is told to, and not before.
fn seldom(name: &str) -> StreamsConfig {
    StreamsConfig::new(name)
        .commit_interval(Duration::from_secs(1_800))
        .transaction_timeout(Duration::from_secs(3_600))
}

fn often(name: &str) -> StreamsConfig {
    StreamsConfig::new(name).commit_interval(Duration::from_millis(5))
}

/// How many records [`write`] has for each partition.
fn written(from: usize, to: usize) -> Vec<f64> {
    let mut counts = vec![0.0; PARTITIONS as usize];
    let mut partitioner = Partitioner::default();
    for at in from..to {
        let word = format!("word{}", at % 23);
        counts[partitioner.of(Some(word.as_bytes()), PARTITIONS) as usize] += 1.0;
    }
    counts
}

/// The committed records of a partition of a topic.
fn committed(cluster: &MemoryCluster, topic: &str, partition: u32) -> Vec<LoggedRecord> {
    let records = cluster.records(topic, partition, Isolation::ReadCommitted);
    records.unwrap()
}

/// Gauges that stand for something that is there.
const LEVELS: [&str; 18] = [
    "active_tasks",
    "standby_tasks",
    "restore_remaining",
    "standby_remaining",
    "task_active_buffer",
    "task_stream_time",
    "task_consumer_lag",
    "task_restore_remaining",
    "task_update_remaining",
    "store_cache_bytes",
    "store_uncommitted",
    "store_num_keys",
    "store_estimate",
    "store_total_sst",
    "store_live_sst",
    "store_cur_size",
    "store_mem_table",
    "rocksdb",
];

#[test]
fn what_is_done_is_counted() {
    record();
    let cluster = cluster();
    write(&cluster, 0, 1_000);
    let app = start(&cluster, &counting(), seldom("metered-once"));
    let name = instance(&app);
    let processed = || counted_by(&app).sum_of("task_process_total");
    wait_until("all is processed", || processed() == 1_000.0);
    let counted = counted_by(&app);
    assert_eq!(counted.of("thread_poll_records_total thread=0"), 1_000.0);
    let (records, words) = (written(0, 1_000), written(0, 23));
    for task in 0..PARTITIONS as usize {
        let of = |name: &str| counted.of(&format!("task_{name} thread=0 task={task}"));
        let of_store =
            |name: &str| counted.of(&format!("store_{name} thread=0 task={task} store=counts"));
        assert_eq!(of("process_total"), records[task]);
        assert_eq!(of("active_buffer_count"), 0.0);
        assert_eq!(of("commit_total"), 0.0);
        // What was written first is a second after 1970.
        let since_1970 = Clock::system().now() as f64 / 1_000.0;
        let lag = of("stream_time_lag_seconds");
        assert!((since_1970 - 3_600.0..since_1970).contains(&lag), "{lag}");
        let topic = format!("task_consumer_lag thread=0 task={task} topic=words");
        assert_eq!(counted.of(&topic), 0.0);
        assert_eq!(of_store("uncommitted_entries"), words[task]);
        assert!(of_store("cache_bytes") > 0.0);
        assert_eq!(of_store("put_total"), 0.0, "nothing is committed");
    }
    assert_eq!(counted.of("store_num_keys store=counts"), 0.0);
    app.close().unwrap();
    let counted = Counted::by(&name);
    for task in 0..PARTITIONS as usize {
        let of = |name: &str| counted.of(&format!("task_{name} thread=0 task={task}"));
        let of_store =
            |name: &str| counted.of(&format!("store_{name} thread=0 task={task} store=counts"));
        assert_eq!(of("process_total"), records[task]);
        assert_eq!(of("commit_total"), 1.0);
        for lost in ["dropped_records_total", "failed_records_total"] {
            assert_eq!(of(lost), 0.0);
        }
        assert_eq!(of_store("put_total"), words[task]);
        assert_eq!(of_store("delete_total"), 0.0);
        assert_eq!(of_store("flush_total"), 1.0);
        // Rows are found by the word behind three bytes, and have the count and its time.
        assert!(of_store("flush_bytes_total") >= words[task] * (3.0 + 5.0 + 8.0));
        assert_eq!(of_store("cache_miss_total"), 0.0, "all rows are in memory");
    }
    for (name, value) in [
        ("thread_commit_total thread=0", 1.0),
        ("thread_commit_seconds thread=0", 1.0),
        ("thread_flush_seconds thread=0", 1.0),
        ("processor_node_process_total node=words", 1_000.0),
        ("processor_node_failed_total node=words", 0.0),
    ] {
        assert_eq!(counted.of(name), value, "{name}");
    }
    let ended = f64::from(StreamsState::NotRunning as u8);
    assert_eq!(counted.of("state"), ended);
    assert_eq!(
        counted.not_zero(&LEVELS),
        [""; 0],
        "it is not there any more"
    );
}

#[test]
fn what_waits_is_told() {
    record();
    let cluster = cluster();
    let app = start(&cluster, &counting(), often("metered-paused"));
    app.wait_until_running(PATIENCE).unwrap();
    app.pause();
    write(&cluster, 0, 500);
    // Who reads nothing knows nevertheless how much is there.
    let lag = || counted_by(&app).sum_of("task_consumer_lag");
    wait_until("all is to be read", || lag() == 500.0);
    app.resume();
    wait_until("nothing is to be read", || lag() == 0.0);
    assert_eq!(counted_by(&app).sum_of("task_process_total"), 500.0);
    app.close().unwrap();
}

#[test]
fn what_is_told_of_a_task_that_has_moved_is_0() {
    record();
    let cluster = cluster();
    write(&cluster, 0, 1_000);
    let one = start(&cluster, &counting(), often("metered-moving"));
    check(&cluster, 1_000);
    let cached = |app: &Application| -> BTreeSet<u16> {
        let counted = counted_by(app);
        let name = |task: &u16| format!("store_cache_bytes thread=0 task={task} store=counts");
        let tasks = 0..PARTITIONS as u16;
        tasks.filter(|task| counted.of(&name(task)) > 0.0).collect()
    };
    wait_until("it has all", || cached(&one) == (0..4).collect());
    let two = start(&cluster, &counting(), often("metered-moving"));
    wait_until("each has a half", || {
        (one.running_tasks().len(), two.running_tasks().len()) == (2, 2)
    });
    wait_until("it has its half alone", || {
        cached(&one) == one.running_tasks()
    });
    let there = |task: u16| committed(&cluster, "metered-moving-counts-changelog", task.into());
    for task in two.running_tasks() {
        let of_task = format!("thread=0 task={task}");
        let (left, taken) = (counted_by(&one), counted_by(&two));
        let levels: Vec<String> = left.not_zero(&LEVELS);
        let of_it = levels.iter().filter(|name| name.contains(&of_task));
        assert_eq!(of_it.collect::<Vec<_>>(), [""; 0]);
        let processed = left.of(&format!("task_process_total {of_task}"));
        assert_eq!(processed, written(0, 1_000)[usize::from(task)]);
        // They came as those of a standby, or when the task did.
        let read = taken.of(&format!("store_restore_total {of_task} store=counts"));
        assert_eq!(read, there(task).len() as f64);
        let remaining = format!("task_restore_remaining_records {of_task}");
        assert_eq!(taken.of(&remaining), 0.0);
    }
    write(&cluster, 1_000, 1_500);
    check(&cluster, 1_500);
    let (of_one, of_two) = (instance(&one), instance(&two));
    one.close().unwrap();
    two.close().unwrap();
    let counted = [Counted::by(&of_one), Counted::by(&of_two)];
    let processed = counted.iter().map(|of| of.sum_of("task_process_total"));
    assert_eq!(processed.sum::<f64>(), 1_500.0);
}

#[test]
fn records_that_are_read_to_restore_rows_are_counted() {
    record();
    let cluster = cluster();
    write(&cluster, 0, 1_000);
    let before = start(&cluster, &counting(), often("metered-restored"));
    check(&cluster, 1_000);
    before.close().unwrap();
    // Its rows were in memory.
    let app = start(&cluster, &counting(), seldom("metered-restored"));
    app.wait_until_running(PATIENCE).unwrap();
    let counted = counted_by(&app);
    for task in 0..PARTITIONS {
        let rows = committed(&cluster, "metered-restored-counts-changelog", task).len() as f64;
        let own = committed(&cluster, "metered-restored-tasks-changelog", task).len() as f64;
        let of_store = format!("store_restore_total thread=0 task={task} store=counts");
        assert_eq!(counted.of(&of_store), rows);
        let of_task = format!("task_restore_total thread=0 task={task}");
        assert_eq!(counted.of(&of_task), rows + own);
        let remaining = format!("task_restore_remaining_records thread=0 task={task}");
        assert_eq!(counted.of(&remaining), 0.0);
    }
    let threads = counted.of("thread_restore_records_total thread=0");
    assert_eq!(threads, counted.sum_of("task_restore_total"));
    wait_until("the rows that are here are told", || {
        counted_by(&app).of("store_num_keys store=counts") == 23.0
    });
    app.close().unwrap();
}

#[test]
fn what_is_missing_is_told_while_it_is() {
    record();
    let cluster = cluster();
    let app = Application::new(
        &counting(),
        Arc::new(cluster.clone()),
        often("metered-missing"),
    );
    let app = app.unwrap();
    let thread = of_instance(&app.env);
    let restore = ReplicaMetrics::of_restore(&thread, 3);
    let standby = ReplicaMetrics::of_standby(&thread, 3);
    restore.remain(7);
    standby.remain(8);
    let told = || {
        let counted = counted_by(&app);
        ["restore", "update"].map(|of| counted.sum_of(&format!("task_{of}_remaining_records")))
    };
    assert_eq!(told(), [7.0, 8.0]);
    drop(restore);
    assert_eq!(told(), [0.0, 8.0]);
    drop(standby);
    assert_eq!(told(), [0.0, 0.0]);
}

#[test]
fn rows_that_are_removed_and_records_that_are_lost_are_counted() {
    record();
    let cluster = cluster();
    let builder = StreamsBuilder::new();
    let words = builder.table::<Option<String>, i64>(
        "words",
        Consumed::with(crate::codec::json(), crate::codec::json()),
        Materialized::named("last"),
    );
    words.to_stream().to("totals", Produced::json());
    let topology = builder.build().unwrap();
    let append = |partition, key: &str, value: Option<&[u8]>| {
        let key = Some(key.as_bytes());
        cluster.append("words", partition, key, value, 5).unwrap();
    };
    for (partition, key, value) in [
        (1, "\"a\"", Some(&b"1"[..])),
        (1, "\"b\"", Some(b"2")),
        (1, "\"b\"", None),
        (1, "\"c\"", None),
        (1, "\"d\"", Some(b"{")),
        (1, "null", Some(b"3")),
        (2, "\"e\"", Some(b"x")),
    ] {
        append(partition, key, value);
    }
    let app = start(&cluster, &topology, seldom("metered-lost"));
    let name = instance(&app);
    let failed = || counted_by(&app).sum_of("task_failed_records_total");
    wait_until("all was read", || failed() == 2.0);
    app.close().unwrap();
    let counted = Counted::by(&name);
    for (name, value) in [
        ("task_process_total thread=0 task=1", 5.0),
        ("task_failed_records_total thread=0 task=1", 1.0),
        ("task_failed_records_total thread=0 task=2", 1.0),
        ("task_dropped_records_total thread=0 task=1", 1.0),
        ("task_dropped_records_total thread=0 task=2", 0.0),
        ("store_put_total thread=0 task=1 store=last", 1.0),
        ("store_delete_total thread=0 task=1 store=last", 2.0),
        ("store_put_total thread=0 task=2 store=last", 0.0),
        ("store_flush_total thread=0 task=2 store=last", 0.0),
        ("task_commit_total thread=0 task=2", 1.0),
    ] {
        assert_eq!(counted.of(name), value, "{name}");
    }
}

#[test]
fn what_was_not_committed_does_not_count_as_written() {
    record();
    let cluster = cluster();
    let app = start(&cluster, &counting(), often("metered-again"));
    app.wait_until_running(PATIENCE).unwrap();
    cluster.fail_next(Fault::SendOffsets, 1);
    write(&cluster, 0, 1_000);
    check(&cluster, 1_000);
    let name = instance(&app);
    app.close().unwrap();
    let counted = Counted::by(&name);
    assert_eq!(counted.sum_of("thread_abort_total"), 1.0);
    let processed = counted.sum_of("task_process_total");
    let polled = counted.sum_of("thread_poll_records_total");
    assert!(
        processed > 1_000.0 && processed <= polled,
        "{processed} of {polled}"
    );
    let rows = (0..PARTITIONS)
        .map(|task| committed(&cluster, "metered-again-counts-changelog", task).len());
    assert_eq!(
        counted.sum_of("store_put_total"),
        rows.sum::<usize>() as f64
    );
}

#[test]
fn who_is_not_waited_for_is_counted() {
    record();
    let cluster = cluster();
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let moved = words.select_key(|_, word| word.clone());
    let moved = moved.moved_by_time("moved", || Box::new(Ticker::new(60_000)));
    moved.to("totals", Produced::plain());
    let topology = builder.build().unwrap();
    let enforced = |name: &str, idle: Duration| {
        let app = start(&cluster, &topology, often(name).max_task_idle(idle));
        write(&cluster, 0, 1);
        wait_until("it is processed", || {
            counted_by(&app).sum_of("task_process_total") >= 2.0
        });
        app
    };
    let patient = enforced("metered-patient", Duration::from_secs(3_600));
    let idle = Duration::from_millis(100);
    let quick = enforced("metered-quick", idle);
    let total = |app: &Application| counted_by(app).sum_of("task_enforced_processing_total");
    // Each of the tasks is fed by all, of which one alone had anything to say; and that once.
    wait_until("nobody is waited for", || total(&quick) == 16.0);
    assert_eq!(total(&patient), 0.0);
    quick.close().unwrap();
    patient.close().unwrap();
}

/// All names that the documentation has.
fn documented() -> BTreeSet<String> {
    let text = include_str!("../metrics/mod.rs").lines();
    let rows = text.filter(|line| line.starts_with("//! | `"));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`'));
    names
        .filter(|name| name.starts_with("kafka_streams_"))
        .map(str::to_owned)
        .collect()
}

#[cfg(feature = "rocksdb")]
#[test]
fn what_the_documentation_lists_is_told_and_nothing_else() {
    record();
    let cluster = cluster();
    let (dirs, seven) = ([(); 2].map(|()| tempfile::tempdir().unwrap()), 7_000);
    let config = || often("metered-on-disk").num_standby_replicas(1);
    write(&cluster, 0, seven);
    let [one, two] = dirs.each_ref().map(|dir| config().state_dir(dir.path()));
    let one = start(&cluster, &counting(), one);
    check(&cluster, seven);
    let two = start(&cluster, &counting(), two);
    let keys = |app: &Application| counted_by(app).of("store_estimate_num_keys store=counts");
    wait_until("both have all rows", || {
        keys(&one) >= 23.0 && keys(&two) >= 23.0
    });
    let counted = [&one, &two].map(counted_by);
    for counted in &counted {
        let of_database = |name: &str| counted.of(&format!("rocksdb_{name}"));
        assert!(of_database("block_cache_capacity") > 0.0);
        assert!(
            of_database("block_cache_usage") > 0.0,
            "with what is not in files"
        );
        assert_eq!(of_database("background_errors"), 0.0);
        assert_eq!(of_database("is_write_stopped"), 0.0);
        assert!(counted.of("store_cur_size_all_mem_tables store=counts") > 0.0);
    }
    let update = counted.iter().map(|of| of.sum_of("task_update_total"));
    assert!(update.sum::<f64>() > 0.0);
    let mut told: BTreeSet<String> = counted.iter().flat_map(Counted::names).collect();
    let of_one = instance(&one);
    two.close().unwrap();
    one.close().unwrap();
    assert_eq!(Counted::by(&of_one).not_zero(&LEVELS), [""; 0]);
    // Rows in memory are counted exactly.
    let beside = start(&cluster, &counting(), often("metered-in-memory"));
    told.extend(counted_by(&beside).names());
    beside.close().unwrap();
    assert_eq!(told, documented());
    assert_eq!(names().map(str::to_owned).collect::<BTreeSet<_>>(), told);
}

#[cfg(feature = "rocksdb")]
#[test]
fn rows_that_are_read_from_disk_are_counted() {
    record();
    let cluster = cluster();
    let dir = tempfile::tempdir().unwrap();
    write(&cluster, 0, 1_000);
    let app = start(
        &cluster,
        &counting(),
        often("metered-misses").state_dir(dir.path()),
    );
    check(&cluster, 1_000);
    let name = instance(&app);
    app.close().unwrap();
    let misses = || Counted::by(&name).sum_of("store_cache_miss_total");
    assert_eq!(misses(), 0.0, "all rows were in memory");
    let app = start(
        &cluster,
        &counting(),
        often("metered-misses").state_dir(dir.path()),
    );
    write(&cluster, 1_000, 2_000);
    check(&cluster, 2_000);
    wait_until("files are there", || {
        counted_by(&app).of("store_total_sst_files_size store=counts") > 0.0
    });
    app.close().unwrap();
    assert_eq!(misses(), 23.0, "each word was read once");
}
