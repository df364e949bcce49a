//! Transactions against a plain model: random calls, the same logs, ends and offsets.

use std::collections::BTreeMap;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::*;
use crate::cluster::{
    Cluster, CommittedOffset, GroupMetadata, Isolation, LogReader, Member, MemberOptions,
    OffsetRange, Producer, ProducerKind, ProducerRecord, TopicPartition, TransactionError,
};
use crate::connector::Waker;
use crate::record::Headers;
use crate::time::seconds;

const PARTITIONS: usize = 2;
const IDS: [&str; 3] = ["a", "b", "c"];

#[derive(Clone, Copy, PartialEq)]
enum Slot {
    Record(u32, Option<usize>),
    Marker,
}

/// What becomes of a transaction, and the places that do not know yet.
struct Fate {
    id: usize,
    committed: Option<bool>,
    unmarked: Vec<MarkerTarget>,
    offset: Option<(u64, i64)>,
}

#[derive(Default)]
struct Model {
    logs: [Vec<Slot>; PARTITIONS],
    fates: Vec<Fate>,
    /// The open transaction of each id, and whether the brokers have heard of it.
    open: [Option<(usize, bool)>; IDS.len()],
    committed: Option<(u64, i64)>,
}

impl Model {
    fn stable(&self, partition: usize) -> usize {
        let target = MarkerTarget::Partition(at(partition));
        let unmarked = |t: usize| self.fates[t].unmarked.contains(&target);
        let open = |slot: &Slot| matches!(slot, Slot::Record(_, Some(t)) if unmarked(*t));
        let log = &self.logs[partition];
        log.iter().position(open).unwrap_or(log.len())
    }

    /// The committed records from one offset up to another.
    fn committed(&self, partition: usize, from: usize, to: usize) -> Vec<(i64, u32)> {
        let kept = |t: Option<usize>| t.is_none_or(|t| self.fates[t].committed == Some(true));
        let slots = (0_i64..).zip(&self.logs[partition][..to]).skip(from);
        slots
            .filter_map(|(offset, slot)| match slot {
                Slot::Record(value, t) if kept(*t) => Some((offset, *value)),
                _ => None,
            })
            .collect()
    }

    fn offset_is_pending(&self) -> bool {
        let group = MarkerTarget::Group("app".into());
        self.fates.iter().any(|fate| fate.unmarked.contains(&group))
    }

    fn end(&mut self, id: usize, committed: bool) -> Option<usize> {
        let (transaction, _) = self.open[id].take()?;
        self.fates[transaction].committed = Some(committed);
        self.fates[transaction].unmarked.sort();
        Some(transaction)
    }

    fn mark(&mut self, transaction: usize, target: &MarkerTarget) {
        let fate = &mut self.fates[transaction];
        fate.unmarked.retain(|t| t != target);
        match target {
            MarkerTarget::Partition(p) => self.logs[p.partition as usize].push(Slot::Marker),
            MarkerTarget::Group(_) if fate.committed == Some(true) => {
                self.committed = self.committed.max(fate.offset);
            }
            MarkerTarget::Group(_) => {}
        }
    }

    fn mark_all(&mut self, transaction: usize) {
        for target in self.fates[transaction].unmarked.clone() {
            self.mark(transaction, &target);
        }
    }

    /// All markers of an id that are in flight are written.
    fn settle(&mut self, id: usize) {
        for transaction in 0..self.fates.len() {
            let fate = &self.fates[transaction];
            if fate.id == id && fate.committed.is_some() {
                self.mark_all(transaction);
            }
        }
    }

    /// The open transaction of an id, that the brokers hear of now at the latest.
    fn touch(&mut self, id: usize) -> usize {
        let (transaction, heard) = self.open[id].expect("a transaction has begun");
        if !heard {
            self.settle(id);
            self.open[id] = Some((transaction, true));
        }
        transaction
    }

    fn owes(&mut self, transaction: usize, target: MarkerTarget) {
        let unmarked = &mut self.fates[transaction].unmarked;
        if !unmarked.contains(&target) {
            unmarked.push(target);
        }
    }
}

fn at(partition: usize) -> TopicPartition {
    TopicPartition::new("t", partition as u32)
}

struct Bench {
    cluster: MemoryCluster,
    model: Model,
    producers: Vec<Option<Box<dyn Producer>>>,
    zombies: Vec<Box<dyn Producer>>,
    member: Box<dyn Member>,
    reader: Box<dyn LogReader>,
    positions: [usize; PARTITIONS],
    held: bool,
    written: u32,
}

impl Bench {
    fn new() -> Self {
        let cluster = MemoryCluster::new();
        cluster.add_topic("t", PARTITIONS as u32, &[]).unwrap();
        cluster.set_patience(Duration::ZERO);
        let options = MemberOptions {
            group: "app".into(),
            topic: "t".into(),
            instance: None,
            session_timeout: seconds(3_600),
        };
        let mut member = cluster.join(options).unwrap();
        member.poll(Duration::ZERO).unwrap();
        let mut reader = cluster.reader(Waker::new()).unwrap();
        for partition in 0..PARTITIONS {
            reader.assign(&at(partition), 0).unwrap();
        }
        let producers =
            IDS.map(|id| Some(cluster.producer(&ProducerKind::transactional(id)).unwrap()));
        Bench {
            cluster,
            model: Model::default(),
            producers: producers.into(),
            zombies: Vec::new(),
            member,
            reader,
            positions: [0; PARTITIONS],
            held: false,
            written: 0,
        }
    }

    fn step(&mut self, rng: &mut StdRng) {
        let id = rng.random_range(0..IDS.len());
        let partition = rng.random_range(0..PARTITIONS);
        match rng.random_range(0..24) {
            0..9 => self.write(id, partition),
            9..11 => self.write_offset(id),
            11..14 => self.end(id, true),
            14 => self.end(id, false),
            15 => self.end_unknown(id, rng.random_bool(0.5)),
            16 => self.take_over(id),
            17 => self.try_zombies(),
            18 => self.append(partition),
            19 => self.hold(rng.random_bool(0.7)),
            20 => self.write_a_marker(rng),
            21 if rng.random_bool(0.2) => self.expire(),
            _ => self.read(rng.random_range(1..6)),
        }
        self.check(partition);
    }

    fn begun(&mut self, id: usize) -> &mut Box<dyn Producer> {
        if self.producers[id].is_none() {
            self.take_over(id);
        }
        let producer = self.producers[id].as_mut().expect("there is one now");
        if self.model.open[id].is_none() {
            producer.begin().unwrap();
            self.model.open[id] = Some((self.model.fates.len(), false));
            self.model.fates.push(Fate {
                id,
                committed: None,
                unmarked: Vec::new(),
                offset: None,
            });
        }
        producer
    }

    fn write(&mut self, id: usize, partition: usize) {
        self.written += 1;
        let value = self.written.to_be_bytes();
        let record = ProducerRecord {
            key: None,
            value: Some(&value),
            timestamp: 0,
            headers: &Headers::default(),
        };
        self.begun(id).send(&at(partition), record).unwrap();
        let transaction = self.model.touch(id);
        let slot = Slot::Record(self.written, Some(transaction));
        self.model.logs[partition].push(slot);
        let target = MarkerTarget::Partition(at(partition));
        self.model.owes(transaction, target);
        let flushed = self.begun(id).flush().unwrap();
        let of = |slot: &Slot| matches!(slot, Slot::Record(_, t) if *t == Some(transaction));
        let ends: BTreeMap<TopicPartition, i64> = (0..PARTITIONS)
            .filter_map(|p| Some((at(p), self.model.logs[p].iter().rposition(of)? as i64 + 1)))
            .collect();
        assert_eq!(flushed, ends);
    }

    fn write_offset(&mut self, id: usize) {
        self.written += 1;
        let offset = i64::from(self.written);
        let committed = CommittedOffset {
            offset,
            metadata: String::new(),
        };
        let metadata = self.member.metadata().unwrap();
        let producer = self.begun(id);
        let input = TopicPartition::new("in", 0);
        producer
            .send_offsets(&[(input, committed)], &metadata)
            .unwrap();
        let transaction = self.model.touch(id);
        self.model.fates[transaction].offset = Some((offset as u64, offset));
        let group = MarkerTarget::Group("app".into());
        self.model.owes(transaction, group);
    }

    fn end(&mut self, id: usize, committed: bool) {
        let producer = self.begun(id);
        match committed {
            true => producer.commit().unwrap(),
            false => producer.abort().unwrap(),
        }
        self.ended(id, committed);
    }

    /// What the model does when a transaction ends.
    fn ended(&mut self, id: usize, committed: bool) {
        if let (Some(transaction), false) = (self.model.end(id, committed), self.held) {
            self.model.mark_all(transaction);
        }
    }

    fn end_unknown(&mut self, id: usize, committed: bool) {
        self.begun(id);
        let fault = match committed {
            true => Fault::AnswerLost,
            false => Fault::CommitLost,
        };
        self.cluster.fail_next(fault, 1);
        let mut producer = self.producers[id].take().expect("it has begun");
        let answer = producer.commit();
        assert!(matches!(answer, Err(TransactionError::Unknown(_))));
        self.zombies.push(producer);
        if committed {
            self.ended(id, true);
        }
    }

    fn take_over(&mut self, id: usize) {
        self.zombies.extend(self.producers[id].take());
        self.producers[id] = Some(
            self.cluster
                .producer(&ProducerKind::transactional(IDS[id]))
                .unwrap(),
        );
        self.ended(id, false);
        self.model.settle(id);
    }

    fn try_zombies(&mut self) {
        let record = ProducerRecord {
            key: None,
            value: None,
            timestamp: 0,
            headers: &Headers::default(),
        };
        let metadata: GroupMetadata = self.member.metadata().unwrap();
        for zombie in &mut self.zombies {
            for answer in [
                zombie.begin(),
                zombie.send(&at(0), record),
                zombie.send_offsets(&[], &metadata),
                zombie.commit(),
                zombie.abort(),
            ] {
                assert!(matches!(answer, Err(TransactionError::Fenced(_))));
            }
        }
    }

    fn append(&mut self, partition: usize) {
        self.written += 1;
        let value = self.written.to_be_bytes();
        let appended = self
            .cluster
            .append("t", partition as u32, None, Some(&value), 0);
        let log = &mut self.model.logs[partition];
        assert_eq!(appended.unwrap(), log.len() as i64);
        log.push(Slot::Record(self.written, None));
    }

    fn hold(&mut self, held: bool) {
        self.held = held;
        self.cluster.set_markers(match held {
            true => Markers::Held,
            false => Markers::AtOnce,
        });
    }

    fn write_a_marker(&mut self, rng: &mut StdRng) {
        let in_flight = self.cluster.markers_in_flight();
        let Some(target) = in_flight.choose(rng) else {
            return;
        };
        let mut written = 0;
        for transaction in 0..self.model.fates.len() {
            let fate = &self.model.fates[transaction];
            if fate.committed.is_some() && fate.unmarked.contains(target) {
                self.model.mark(transaction, target);
                written += 1;
            }
        }
        assert_eq!(self.cluster.write_markers_to(target), written);
    }

    fn expire(&mut self) {
        let mut expired = 0;
        for id in 0..IDS.len() {
            if self.model.open[id].is_some_and(|(_, heard)| heard) {
                expired += 1;
                self.zombies.extend(self.producers[id].take());
                self.ended(id, false);
            }
        }
        assert_eq!(self.cluster.expire_transactions(), expired);
    }

    fn read(&mut self, limit: usize) {
        let Some((of, batch)) = self.reader.poll(limit).unwrap() else {
            for (partition, position) in self.positions.iter().enumerate() {
                assert_eq!(*position, self.model.stable(partition));
            }
            return;
        };
        let partition = of.partition as usize;
        let value = |i: usize| u32::from_be_bytes(batch.value(i).unwrap().try_into().unwrap());
        let read = (0..batch.len()).map(|i| (batch.offset(i), value(i)));
        let (from, end) = (self.positions[partition], batch.end as usize);
        assert!(from < end && end <= self.model.stable(partition) && batch.len() <= limit);
        let expected = self.model.committed(partition, from, end);
        assert_eq!(read.collect::<Vec<_>>(), expected);
        self.positions[partition] = end;
        let behind = end < self.model.stable(partition);
        assert_eq!(self.reader.is_behind(&of), behind);
        let known = i64::try_from(self.model.stable(partition)).unwrap();
        assert_eq!(self.reader.known_end(&of), Some(known));
    }

    fn check(&self, partition: usize) {
        let (log, stable) = (&self.model.logs[partition], self.model.stable(partition));
        for (isolation, end) in [
            (Isolation::ReadUncommitted, log.len()),
            (Isolation::ReadCommitted, stable),
        ] {
            let end = end as i64;
            let offsets = self.cluster.offsets(&at(partition), isolation);
            assert_eq!(offsets.unwrap(), OffsetRange { first: 0, end });
        }
        let records = |isolation| {
            let records = self.cluster.records("t", partition as u32, isolation);
            let value = |r: &LoggedRecord| r.value.clone().unwrap().try_into().unwrap();
            let records = records.unwrap().into_iter();
            let records = records.map(|r| (r.offset, u32::from_be_bytes(value(&r))));
            records.collect::<Vec<_>>()
        };
        let committed = self.model.committed(partition, 0, stable);
        assert_eq!(records(Isolation::ReadCommitted), committed);
        let is_record = |slot: &&Slot| **slot != Slot::Marker;
        let all = log.iter().filter(is_record).count();
        assert_eq!(records(Isolation::ReadUncommitted).len(), all);
        let input = TopicPartition::new("in", 0);
        let offsets = self.cluster.committed("app", &[input]);
        assert_eq!(offsets.is_err(), self.model.offset_is_pending());
        if let Ok(offsets) = offsets {
            let committed = self.model.committed.map(|(_, offset)| offset);
            assert_eq!(offsets[0].as_ref().map(|o| o.offset), committed);
        }
    }
}

#[test]
fn transactions_do_what_the_model_does() {
    for seed in 0..60 {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut bench = Bench::new();
        for _ in 0..400 {
            bench.step(&mut rng);
        }
        bench.cluster.expire_transactions();
        bench.cluster.write_markers();
        while bench.reader.poll(100).unwrap().is_some() {}
        for partition in 0..PARTITIONS {
            assert!(!bench.reader.is_behind(&at(partition)), "seed {seed}");
        }
    }
}
