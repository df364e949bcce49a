//! Rows that are here and do not belong to their changelog any more.

use super::*;
use crate::cluster::OffsetRange;
use crate::streams::changelog;
use crate::streams::mark::Mark;
use crate::time::Clock;

#[test]
fn rows_of_topics_that_were_made_again_are_read_again() {
    let state = tempfile::tempdir().unwrap();
    let config = || config().state_dir(state.path());
    let former = cluster();
    write(&former, 0, 200);
    let app = start(&former, &counting(), config());
    check(&former, 200);
    app.close().unwrap();
    // All topics were deleted since, and made again; their offsets go further than the rows here.
    let later = cluster();
    let other = tempfile::tempdir().unwrap();
    write(&later, 0, 2_000);
    let app = start(&later, &counting(), self::config().state_dir(other.path()));
    check(&later, 2_000);
    app.close().unwrap();
    let app = start(&later, &counting(), config());
    write(&later, 2_000, 2_300);
    check(&later, 2_300);
    wait_until("it is told that all run", || app.running_tasks().len() == 4);
    let rows = app.table::<String, i64>("counts").unwrap();
    let rows: BTreeMap<String, i64> = rows.scan(|_, _| true).unwrap().into_iter().collect();
    assert_eq!(rows, expected(2_300));
    app.close().unwrap();
}

#[test]
fn rows_are_refused_that_their_topic_may_have_forgotten_to_remove() {
    let state = tempfile::tempdir().unwrap();
    let cluster = cluster();
    write(&cluster, 0, 200);
    let config = || config().state_dir(state.path());
    let app = start(&cluster, &counting(), config());
    check(&cluster, 200);
    app.close().unwrap();
    let later = |hours: i64| {
        let clock = Clock::manual(Clock::system().now() + hours * 3_600_000);
        let config = config().clock(clock);
        Application::new(&counting(), Arc::new(cluster.clone()), config).unwrap()
    };
    let told = |app: &Application, more: i64| {
        let partitions = changelog::of_lane(&app.env.topics, 0).into_iter();
        let counts = partitions.map(|(_, partition)| partition);
        let counts = counts
            .into_iter()
            .find(|p| p.topic.contains("counts"))
            .unwrap();
        let mark = Mark::read(&app.env.state, &counts).unwrap().unwrap();
        let there = OffsetRange {
            first: 0,
            end: mark.offset + more,
        };
        mark.refusal(&app.env, &counts, there, None)
    };
    assert_eq!(told(&later(11), 5), None);
    assert_eq!(told(&later(13), 0), None, "nothing was removed since");
    let why = told(&later(13), 5).unwrap();
    assert!(why.contains("13 hours old"), "{why}");
}

#[test]
fn who_is_closed_knows_whose_its_rows_are_to_their_end() {
    let state = tempfile::tempdir().unwrap();
    let cluster = cluster();
    let config = || config().state_dir(state.path());
    let app = start(&cluster, &counting(), config());
    write(&cluster, 0, 200);
    check(&cluster, 200);
    for partition in 0..PARTITIONS {
        cluster.elect("app-counts-changelog", partition).unwrap();
    }
    // The last commits come at once before the end, or with it.
    write(&cluster, 200, 400);
    check(&cluster, 400);
    app.close().unwrap();
    let app = Application::new(&counting(), Arc::new(cluster), config()).unwrap();
    for lane in 0..PARTITIONS {
        let of = TopicPartition::new("app-counts-changelog", lane);
        let mark = Mark::read(&app.env.state, &of).unwrap().unwrap();
        let point = mark.point.unwrap();
        assert_eq!((point.offset, point.epoch), (mark.offset, 1), "{of}");
    }
}
