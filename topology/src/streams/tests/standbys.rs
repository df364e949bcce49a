//! Instances that keep rows up to date for others, and what they know of one another.

use std::sync::Mutex;

use super::*;
use crate::codec::{Key, plain};
use crate::streams::mark::Mark;
use crate::streams::{LagInfo, changelog, lag_info};

/// The number of offsets of all changelogs that the state of an instance does not have.
fn missing(app: &Application, lane: u16) -> u64 {
    changelog::lags(&app.env).unwrap()[&lane]
}

#[test]
fn standbys_have_the_rows_and_take_over() {
    let cluster = cluster();
    let config = || config().num_standby_replicas(1);
    let one = start(&cluster, &counting(), config());
    write(&cluster, 0, 1_000);
    check(&cluster, 1_000);
    assert!(one.standby_tasks().is_empty(), "there is no other");
    let two = start(&cluster, &counting(), config());
    wait_until("each keeps what the other runs", || {
        let kept = |app: &Application| app.standby_tasks().into_keys().collect::<BTreeSet<_>>();
        let (of_one, of_two) = (one.running_tasks(), two.running_tasks());
        of_one.len() == 2 && kept(&one) == of_two && kept(&two) == of_one
    });
    write(&cluster, 1_000, 2_000);
    check(&cluster, 2_000);
    wait_until("the rows are there", || {
        let complete = |app: &Application| {
            let mut kept = app.standby_tasks().into_keys();
            kept.all(|lane| missing(app, lane) == 0)
        };
        complete(&one) && complete(&two)
    });
    let rows = one.table::<String, i64>("counts").unwrap();
    let of_one = one.running_tasks().len();
    assert!(of_one < PARTITIONS as usize);
    let seen = rows.scan(|_, _| true).unwrap().len();
    assert!(seen < 23, "rows of standbys are not those of the instance");
    one.close().unwrap();
    wait_until("two has all", || two.running_tasks().len() == 4);
    assert!(two.standby_tasks().is_empty());
    write(&cluster, 2_000, 2_500);
    check(&cluster, 2_500);
    two.close().unwrap();
}

#[test]
fn the_lag_of_each_store_is_told() {
    let cluster = cluster();
    let app = start(&cluster, &counting(), config());
    write(&cluster, 0, 1_000);
    check(&cluster, 1_000);
    wait_until("all run", || app.running_tasks().len() == 4);
    let lags = app.all_local_store_partition_lags().unwrap();
    assert_eq!(lags.keys().collect::<Vec<_>>(), ["counts"]);
    let of_counts: Vec<(u16, u64)> = lags["counts"]
        .iter()
        .map(|(task, info)| (*task, info.offset_lag()))
        .collect();
    assert_eq!(of_counts, [(0, 0), (1, 0), (2, 0), (3, 0)]);
    app.close().unwrap();
    // Who has nothing yet lacks everything.
    let app = Application::new(&counting(), Arc::new(cluster.clone()), config()).unwrap();
    assert_eq!(app.all_local_store_partition_lags().unwrap(), [].into());
    let lags = lag_info::of_stores(&app.env, &[1].into(), &[2].into()).unwrap();
    let end = |task| {
        let of = TopicPartition::new("app-counts-changelog", task);
        let there = cluster.offsets(&of, Isolation::ReadUncommitted).unwrap();
        assert!(there.end > 0);
        there.end
    };
    let info = |current, end| LagInfo {
        current_offset_position: current,
        end_offset_position: end,
    };
    let expected = [(1, info(end(1), end(1))), (2, info(0, end(2)))];
    assert_eq!(lags["counts"], expected.into());
    cluster.set_available(false);
    let told = lag_info::of_stores(&app.env, &[1].into(), &[].into()).unwrap_err();
    assert_eq!(told.kind(), ErrorKind::Unavailable);
}

#[test]
fn who_listens_hears_how_far_rows_are() {
    let cluster = cluster();
    let app = start(&cluster, &counting(), config());
    write(&cluster, 0, 2_000);
    check(&cluster, 2_000);
    app.close().unwrap();
    // Its rows were in memory.
    let mut app = Application::new(&counting(), Arc::new(cluster.clone()), config()).unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let tell = heard.clone();
    app.on_restore(move |progress| tell.lock().unwrap().push(progress));
    app.start().unwrap();
    app.wait_until_running(PATIENCE).unwrap();
    assert!(app.restore_progress().is_empty(), "all is done");
    assert!(app.unmeasured_tasks().is_empty(), "all is known");
    let heard = heard.lock().unwrap();
    for task in 0..PARTITIONS as u16 {
        let of_task = heard.iter().filter(|progress| progress.task == task);
        let of_task: Vec<_> = of_task.collect();
        assert!(of_task[0].restored == 0 && of_task[0].total > 0);
        let last = of_task.last().unwrap();
        assert!(last.is_done() && last.total > 0, "{last:?}");
        assert!(of_task.is_sorted_by_key(|progress| progress.restored));
    }
    drop(heard);
    app.close().unwrap();
}

#[test]
fn a_task_moves_once_its_rows_are_there() {
    let cluster = cluster();
    let config = || config().acceptable_recovery_lag(0).max_warmup_replicas(1);
    let one = start(&cluster, &counting(), config());
    write(&cluster, 0, 3_000);
    check(&cluster, 3_000);
    let two = start(&cluster, &counting(), config());
    wait_until("each has a half", || {
        (one.running_tasks().len(), two.running_tasks().len()) == (2, 2)
    });
    write(&cluster, 3_000, 4_000);
    check(&cluster, 4_000);
    one.close().unwrap();
    two.close().unwrap();
}

/// Runs an instance until it has counted so many records, and has it die: it says nothing to the group, and
/// leaves its transactions open.
fn die_behind(cluster: &MemoryCluster, records: usize, config: StreamsConfig) {
    let app = Application::new(&counting(), Arc::new(cluster.clone()), config).unwrap();
    let (mut coordinator, mut workers) = app.join().unwrap();
    wait_until("it has counted", || {
        assert!(coordinator.turn(Duration::ZERO));
        let turns = workers.iter_mut().map(|worker| worker.step());
        assert!(turns.map(|more| more.is_some()).fold(true, |a, b| a & b));
        last_totals(cluster) == expected(records)
    });
    write(cluster, records, records + 50);
    for _ in 0..3 {
        assert!(coordinator.turn(Duration::ZERO));
        for worker in &mut workers {
            assert!(worker.step().is_some());
        }
    }
}

#[test]
fn an_instance_that_is_started_again_need_not_wait_for_its_session() {
    let cluster = cluster();
    let state = tempfile::tempdir().unwrap();
    let config = || {
        let config = config().session_timeout(Duration::from_secs(3_600));
        config.state_dir(state.path()).num_stream_threads(2)
    };
    write(&cluster, 0, 500);
    die_behind(
        &cluster,
        500,
        config().commit_interval(Duration::from_millis(100)),
    );
    let before = cluster.members("app");
    assert_eq!(
        before.len(),
        1,
        "who does not leave is a member for an hour"
    );
    let app = start(&cluster, &counting(), config().num_stream_threads(1));
    app.wait_until_running(PATIENCE).unwrap();
    assert_eq!(app.running_tasks().len(), 4);
    assert!(cluster.members("app").starts_with(&before));
    write(&cluster, 550, 900);
    check(&cluster, 900);
    app.close().unwrap();
}

#[test]
fn instances_know_whom_to_ask() {
    let cluster = cluster();
    let config = |server: &str| config().application_server(server).num_standby_replicas(1);
    let one = start(&cluster, &counting(), config("one:80"));
    let two = start(&cluster, &counting(), config("two:80"));
    write(&cluster, 0, 200);
    wait_until("each has a half", || {
        (one.running_tasks().len(), two.running_tasks().len()) == (2, 2)
    });
    let codec = String::topic_codec();
    for word in (0..23).map(|at| format!("word{at}")) {
        let know = || {
            let of =
                |app: &Application| app.query_metadata_for_key("counts", &word, &codec).unwrap();
            (of(&one), of(&two))
        };
        wait_until("both know the same", || {
            let (a, b) = know();
            let server = |m: &super::super::KeyQueryMetadata| m.active.clone().map(|i| i.server);
            server(&a) == server(&b) && server(&a).is_some() && a.standbys.len() == 1
        });
        let (known, _) = know();
        let active = known.active.unwrap();
        let owner = if active.is_local { &one } else { &two };
        assert!(owner.running_tasks().contains(&known.partition));
        let server = if active.is_local { "one:80" } else { "two:80" };
        assert_eq!(active.server.as_deref(), Some(server));
        assert_ne!(known.standbys[0].server, active.server);
    }
    let all = two.streams_metadata();
    assert_eq!(all.len(), 2);
    assert_eq!(all.iter().filter(|i| i.is_local).count(), 1);
    let unknown = one.query_metadata_for_key("totals", &"a".to_owned(), &plain::<String>());
    assert_eq!(unknown.unwrap_err().kind(), ErrorKind::NotFound);
    one.close().unwrap();
    two.close().unwrap();
}

#[test]
fn rows_of_standbys_are_read_again_where_an_election_cut_their_changelog_back() {
    let cluster = cluster();
    let config = || config().num_standby_replicas(1);
    let one = start(&cluster, &counting(), config());
    write(&cluster, 0, 300);
    check(&cluster, 300);
    let two = start(&cluster, &counting(), config());
    wait_until("two keeps what one runs", || {
        let of_one = one.running_tasks();
        of_one.len() == 2 && two.standby_tasks().into_keys().eq(of_one.iter().copied())
    });
    let lane = *one.running_tasks().first().unwrap();
    wait_until("the rows are there", || missing(&two, lane) == 0);
    let counts = "app-counts-changelog";
    let of = TopicPartition::new(counts, u32::from(lane));
    wait_until("it is known whose rows they are", || {
        [&one, &two].into_iter().all(|app| {
            let mark = Mark::read(&app.env.state, &of).unwrap().unwrap();
            mark.point.is_some_and(|point| point.offset == mark.offset)
        })
    });
    let records = cluster.records(counts, u32::from(lane), Isolation::ReadCommitted);
    let first = records.unwrap().swap_remove(0);
    // All but the first record goes, and nothing comes.
    (cluster.elect_unclean(counts, u32::from(lane), first.offset + 1)).unwrap();
    let refused = |app: &Application| {
        let refused = app.env.refused.lock().unwrap();
        refused.iter().any(|why| why.contains("was cut back"))
    };
    wait_until("two has found it", || refused(&two));
    wait_until("the row is there", || missing(&two, lane) == 0);
    assert_eq!(two.error(), None);
    // The other finds it when it commits again.
    write(&cluster, 300, 400);
    wait_until("one has found it", || refused(&one));
    wait_until("all run", || {
        one.running_tasks().len() + two.running_tasks().len() == 4
    });
    assert_eq!((one.error(), two.error()), (None, None));
    one.close().unwrap();
    two.close().unwrap();
}
