//! Groups that have forgotten how far their topics were read.

use super::*;
use crate::streams::ProcessingGuarantee;

/// Counts the last letters of words, which travel to other tasks.
fn by_ending() -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<String, String>("words", Consumed::plain());
    let endings = words.group_by(|word, _| ending(word), Grouped::named("by-ending"));
    let counts = endings.count(Materialized::named("endings"));
    counts.to_stream().to("totals", Produced::json());
    builder.build().unwrap()
}

fn ending(word: &str) -> String {
    word[word.len() - 1..].to_owned()
}

/// What is counted of so many words.
type Expected = fn(usize) -> BTreeMap<String, i64>;

fn endings(records: usize) -> BTreeMap<String, i64> {
    let mut endings = BTreeMap::new();
    for (word, count) in expected(records) {
        *endings.entry(ending(&word)).or_insert(0) += count;
    }
    endings
}

#[test]
fn who_comes_back_after_its_offsets_expired_goes_on_where_its_rows_are() {
    let guarantees = [
        ProcessingGuarantee::ExactlyOnce,
        ProcessingGuarantee::AtLeastOnce,
    ];
    let programs: [(Topology, Expected); 2] = [(counting(), expected), (by_ending(), endings)];
    for (guarantee, (topology, expected)) in guarantees
        .iter()
        .flat_map(|g| programs.iter().map(move |p| (*g, p)))
    {
        // With the rows still there, and with rows that are read from the changelogs.
        for kept in [true, false] {
            let state = tempfile::tempdir().unwrap();
            let cluster = cluster();
            let config = || {
                let config = config().processing_guarantee(guarantee);
                match kept {
                    true => config.state_dir(state.path()),
                    false => config,
                }
            };
            write(&cluster, 0, 200);
            let app = start(&cluster, topology, config());
            wait_until("all are counted", || last_totals(&cluster) == expected(200));
            app.close().unwrap();
            cluster.expire_offsets("app");
            write(&cluster, 200, 300);
            let app = start(&cluster, topology, config());
            wait_until("the others are counted too, and no word twice", || {
                last_totals(&cluster) == expected(300)
            });
            app.close().unwrap();
            assert_eq!(last_totals(&cluster), expected(300), "{guarantee:?} {kept}");
        }
    }
}

#[test]
fn a_topic_that_was_made_anew_is_read_from_its_first_record() {
    let cluster = cluster();
    write(&cluster, 0, 200);
    let app = start(&cluster, &counting(), config());
    wait_until("all are counted", || last_totals(&cluster) == expected(200));
    app.close().unwrap();
    cluster.delete_topic("words").unwrap();
    cluster.add_topic("words", PARTITIONS, &[]).unwrap();
    write(&cluster, 200, 300);
    let app = start(&cluster, &counting(), config());
    wait_until("the new ones are counted with those before", || {
        last_totals(&cluster) == expected(300)
    });
    app.close().unwrap();
}
