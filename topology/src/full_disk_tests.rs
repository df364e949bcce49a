//! What happens when the state cannot be written: nothing of the commit is in effect, it is told, and
//! once there is space again everything goes on from the commit before.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::dsl::{Consumed, Grouped, Materialized, Produced, StreamsBuilder};
use crate::error::ErrorKind;
use crate::graph::Topology;
use crate::host::HostOptions;
use crate::identity;
use crate::record::Record;
use crate::runtime::{Embedded, EmbeddedOptions};
use crate::store::full_disk;

const MINUTE: Duration = Duration::from_secs(60);

fn counts(to: Option<&str>) -> Topology {
    let builder = StreamsBuilder::new();
    let words = builder.stream::<(), String>("words", Consumed::plain());
    let counts = words
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    if let Some(to) = to {
        counts.to_stream().to(to, Produced::json());
    }
    builder.build().unwrap()
}

#[test]
fn a_host_goes_back_to_the_commit_before() {
    let (state, full) = full_disk();
    let mut host = counts(Some("out"))
        .host(state, HostOptions::default())
        .unwrap();
    let table = host.table::<String, i64>("counts").unwrap();
    host.feed("words", 0, 0, 1, None, Some(b"a")).unwrap();
    host.drain_outputs().for_each(drop);
    host.commit().unwrap();
    host.feed("words", 0, 1, 2, None, Some(b"a")).unwrap();
    host.drain_outputs().for_each(drop);
    full.store(true, Ordering::Release);
    let e = host.commit().unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Storage);
    assert!(e.to_string().contains("no space left"), "{e}");
    assert_eq!(table.get("a").unwrap(), Some(1));
    let e = host.feed("words", 0, 2, 3, None, Some(b"a")).unwrap_err();
    assert!(
        e.to_string()
            .contains("must be rolled back before it can go on: cannot write"),
        "{e}"
    );
    assert_eq!(host.positions().get("words", 0), Some(1));
    full.store(false, Ordering::Release);
    assert_eq!(host.rollback().unwrap().get("words", 0), Some(1));
    for offset in 0..3 {
        host.feed("words", 0, offset, offset, None, Some(b"a"))
            .unwrap();
    }
    assert_eq!(host.drain_outputs().count(), 2);
    host.commit().unwrap();
    assert_eq!(table.get("a").unwrap(), Some(3));
}

#[test]
fn an_embedded_topology_ends_and_says_why() {
    for workers in [1, 4] {
        let (state, full) = full_disk();
        identity::lanes(&state, 4).unwrap();
        let options = EmbeddedOptions::default()
            .workers(workers)
            .commit_interval(Duration::from_millis(1));
        let mut app = Embedded::new(&counts(None), state.clone(), options.clone()).unwrap();
        let words = app.input::<(), String>("words").unwrap();
        let table = app.table::<String, i64>("counts").unwrap();
        app.start().unwrap();
        words.send(Record::new((), "a".to_owned(), 1)).unwrap();
        while table.get("a").unwrap().is_none() {
            assert!(table.is_running(), "it ended before the disk was full");
            std::thread::yield_now();
        }
        full.store(true, Ordering::Release);
        for n in 0..100 {
            words.send(Record::new((), "a".to_owned(), n)).unwrap();
        }
        let e = app.wait(Some(MINUTE)).unwrap_err();
        assert_eq!(e.kind(), ErrorKind::Storage);
        let said = "cannot commit; what was committed before is safe: cannot write the state: no space left";
        assert!(e.to_string().starts_with(said), "{e}");
        assert_eq!(
            table.get("a").unwrap(),
            Some(1),
            "what was committed can be read"
        );
        assert_eq!(app.close(MINUTE).unwrap_err().kind(), ErrorKind::Storage);
        assert!(!table.is_running());
        full.store(false, Ordering::Release);
        let mut app = Embedded::new(&counts(None), state, options).unwrap();
        let words = app.input::<(), String>("words").unwrap();
        app.start().unwrap();
        words.send(Record::new((), "a".to_owned(), 1)).unwrap();
        app.close(MINUTE).unwrap();
        assert_eq!(table.get("a").unwrap(), Some(2));
    }
}

#[test]
fn a_new_state_on_a_full_disk_is_refused() {
    let (state, full) = full_disk();
    full.store(true, Ordering::Release);
    let Err(e) = Embedded::new(&counts(None), state.clone(), EmbeddedOptions::default()) else {
        panic!("it was opened");
    };
    assert_eq!(e.kind(), ErrorKind::Storage);
    let Err(e) = counts(None).host(state, HostOptions::default()) else {
        panic!("it was opened");
    };
    assert_eq!(e.kind(), ErrorKind::Storage);
}
