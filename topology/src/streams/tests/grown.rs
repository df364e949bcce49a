//! Topics that gain partitions.

use super::*;

fn told(application: &Application) -> String {
    wait_until("it has ended", || {
        application.state() == StreamsState::Error
    });
    application.error().unwrap()
}

#[test]
fn all_instances_end_where_a_topic_gains_partitions() {
    let cluster = cluster();
    write(&cluster, 0, 200);
    let watching = || config().metadata_max_age(Duration::from_millis(20));
    let one = start(&cluster, &counting(), watching());
    // This one would not look itself.
    let two = start(&cluster, &counting(), config());
    check(&cluster, 200);
    wait_until("each has a half", || {
        one.running_tasks().len() == 2 && two.running_tasks().len() == 2
    });
    cluster.grow_topic("words", PARTITIONS + 2).unwrap();
    for application in [&one, &two] {
        let error = told(application);
        assert!(
            error.contains("topic words had 4 partitions") && error.contains("has 6 now"),
            "{error}"
        );
    }
    check(&cluster, 200);
    assert!(one.close().is_err() && two.close().is_err());
    let error = refusal(&counting(), &cluster, config());
    assert!(
        error.contains("4 partitions") && error.contains("needs 6"),
        "{error}"
    );
}

#[test]
fn a_topic_that_is_written_may_gain_partitions() {
    let cluster = cluster();
    write(&cluster, 0, 100);
    let watching = config().metadata_max_age(Duration::from_millis(1));
    let app = start(&cluster, &counting(), watching);
    check(&cluster, 100);
    cluster.grow_topic("totals", PARTITIONS + 2).unwrap();
    write(&cluster, 100, 300);
    check(&cluster, 300);
    app.close().unwrap();
}

/// Counts words of a topic of fewer partitions than another has, which is passed on.
fn counting_few() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("few", Consumed::plain());
    words.group_by_key().count(Materialized::named("counts"));
    let many = builder.stream::<String, String>("words", Consumed::plain());
    many.to("totals", Produced::plain());
    builder.build().unwrap()
}

#[test]
fn a_topic_that_gained_partitions_meanwhile_is_refused_where_rows_are_made_of_it() {
    let cluster = cluster();
    cluster.add_topic("few", 2, &[]).unwrap();
    cluster.append("few", 1, Some(b"a"), Some(b"1"), 1).unwrap();
    let app = start(&cluster, &counting_few(), config());
    let counts = app.table::<String, i64>("counts").unwrap();
    wait_until("it is counted", || {
        counts.get("a".to_owned()).is_ok_and(|n| n == Some(1))
    });
    app.close().unwrap();
    cluster.grow_topic("few", 3).unwrap();
    let app = start(&cluster, &counting_few(), config());
    let error = told(&app);
    assert!(
        error.contains("topic few had 2 partitions") && error.contains("has 3 now"),
        "{error}"
    );
    assert!(app.close().is_err());
}
