//! Members of groups.

use super::*;

#[test]
fn members_are_told_of_generations_and_of_what_they_lost() {
    let (cluster, clock) = cluster();
    let mut first = cluster.join(options(None)).unwrap();
    assert_eq!(first.metadata(), None);
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0])]);
    let before = first.metadata().unwrap();
    assert_eq!((before.group(), before.generation()), ("app", 1));
    let mut second = cluster.join(options(None)).unwrap();
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![])]);
    assert_eq!(cluster.members("app").len(), 2);
    clock.advance(seconds(4));
    assert_eq!(news(&mut second), []);
    clock.advance(seconds(4));
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![0])]);
    assert_eq!(
        first.poll(Duration::ZERO).unwrap(),
        Some(GroupEvent::Lost(vec![0]))
    );
    assert_eq!(first.metadata(), None);
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![])]);
    let after = first.metadata().unwrap();
    assert!(after.member() != before.member() && after.generation() == 4);
    second.leave();
    second.leave();
    assert_eq!(
        second.poll(Duration::ZERO).unwrap_err().kind(),
        ErrorKind::Closed
    );
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0])]);
    assert_eq!(cluster.members("app"), [after.member()]);
}

#[test]
fn what_is_revoked_goes_to_others_when_it_is_released() {
    let (cluster, _) = cluster();
    let join = || {
        let topic = "out".to_owned();
        cluster
            .join(MemberOptions {
                topic,
                ..options(None)
            })
            .unwrap()
    };
    let mut first = join();
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0, 1])]);
    let mut second = join();
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![])]);
    first.release();
    let revoked = [GroupEvent::Assigned(vec![]), GroupEvent::Revoked(vec![1])];
    assert_eq!(news(&mut first), revoked);
    assert_eq!(news(&mut second), []);
    first.release();
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![])]);
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![1])]);
}

#[test]
fn an_instance_is_one_process() {
    let (cluster, clock) = cluster();
    let mut first = cluster.join(options(Some("a"))).unwrap();
    assert_eq!(news(&mut first), [GroupEvent::Assigned(vec![0])]);
    let mut second = cluster.join(options(Some("a"))).unwrap();
    assert_eq!(news(&mut second), [GroupEvent::Assigned(vec![0])]);
    assert_eq!(second.metadata().unwrap().instance(), Some("a"));
    let error = first.poll(Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("FENCED_INSTANCE_ID"), "{error}");
    first.release();
    first.leave();
    assert_eq!(news(&mut second), []);
    clock.advance(seconds(7));
    let mut third = cluster.join(options(Some("a"))).unwrap();
    assert_eq!(news(&mut third), [GroupEvent::Assigned(vec![0])]);
    let error = second.poll(Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("FENCED_INSTANCE_ID"), "{error}");
}

#[test]
fn who_polls_a_group_is_woken_by_news() {
    let (cluster, _) = cluster();
    let mut first = member(&cluster);
    std::thread::scope(|scope| {
        let woken = scope.spawn(|| first.poll(seconds(60)).unwrap());
        let _second = member(&cluster);
        assert_eq!(woken.join().unwrap(), Some(GroupEvent::Assigned(vec![])));
    });
}

#[test]
fn sessions_end_while_others_wait() {
    let cluster = MemoryCluster::new();
    cluster.add_topic("coord", 1, &[]).unwrap();
    let session_timeout = millis(30);
    let short = MemberOptions {
        session_timeout,
        ..options(None)
    };
    let _silent = cluster.join(short).unwrap();
    let mut second = cluster.join(options(None)).unwrap();
    let end = GroupEvent::Assigned(vec![0]);
    while second
        .poll(seconds(60))
        .unwrap()
        .expect("the other is given up")
        != end
    {}
    assert_eq!(cluster.members("app").len(), 1);
}
