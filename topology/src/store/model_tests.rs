//! Stores against a plain model: random operations, the same answers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::codec::{Key, bincode};

type Model = BTreeMap<u32, String>;

struct Bench {
    state: State,
    store: KeyValueStore<u32, String>,
    now: Model,
    committed: Model,
}

fn format() -> Arc<StoreFormat<u32, String>> {
    Arc::new(StoreFormat::new("t", u32::codec(), bincode()))
}

impl Bench {
    fn open(state: State) -> Self {
        let store = KeyValueStore::open(&state, format(), 3, Generations::default()).unwrap();
        Bench {
            state,
            store,
            now: Model::new(),
            committed: Model::new(),
        }
    }

    fn rows(&mut self, from: Option<u32>, to: Option<u32>) -> Vec<(u32, String)> {
        let mut rows = Vec::new();
        self.store
            .range(from.as_ref(), to.as_ref(), &mut |k, v| {
                rows.push((k, v));
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        rows
    }

    fn commit(&mut self, written: bool) {
        let mut commit = Commit::default();
        self.store.freeze(&mut commit).unwrap();
        assert_eq!(self.store.uncommitted(), 0);
        if written {
            self.state.commit(commit, false).unwrap();
            self.store.committed();
            self.committed = self.now.clone();
        } else {
            self.store.rollback();
            self.now = self.committed.clone();
        }
    }

    fn step(&mut self, rng: &mut StdRng) {
        let key = rng.random_range(0..60);
        match rng.random_range(0..20) {
            0..=5 => {
                let value = format!("v{}", rng.random_range(0..1000));
                let old = self.store.put(&key, Some(value.clone())).unwrap();
                assert_eq!(old, self.now.insert(key, value));
            }
            6..=8 => {
                let old = self.store.put(&key, None).unwrap();
                assert_eq!(old, self.now.remove(&key));
            }
            9..=11 => {
                self.store
                    .update(&key, |v| v.get_or_insert_default().push('x'))
                    .unwrap();
                self.now.entry(key).or_default().push('x');
            }
            12..=15 => assert_eq!(self.store.get(&key).unwrap(), self.now.get(&key)),
            16 => {
                let to = key + rng.random_range(0..30);
                let want: Vec<_> = self
                    .now
                    .range(key..to)
                    .map(|(k, v)| (*k, v.clone()))
                    .collect();
                assert_eq!(self.rows(Some(key), Some(to)), want);
            }
            17 => self.commit(true),
            18 => self.commit(rng.random_bool(0.5)),
            _ => self.store.evict(rng.random_range(0..2_000)),
        }
    }

    fn check(&mut self) {
        let want: Vec<_> = self.now.clone().into_iter().collect();
        assert_eq!(self.rows(None, None), want);
    }
}

fn states() -> Vec<(State, Option<tempfile::TempDir>)> {
    let mut states = vec![(State::in_memory(StateOptions::default()), None)];
    #[cfg(feature = "rocksdb")]
    {
        let dir = tempfile::tempdir().unwrap();
        let state = State::open(dir.path(), StateOptions::default()).unwrap();
        states.push((state, Some(dir)));
    }
    states
}

#[test]
fn a_key_value_store_is_a_sorted_map() {
    for seed in 0..30 {
        for (state, _dir) in states() {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut bench = Bench::open(state);
            for _ in 0..400 {
                bench.step(&mut rng);
            }
            bench.check();
            bench.commit(true);
            let committed = bench.committed.clone();
            let mut again = Bench::open(bench.state);
            again.now = committed;
            again.check();
        }
    }
}

#[test]
fn a_generation_takes_the_place_of_the_current_one() {
    for seed in 0..20 {
        for (state, _dir) in states() {
            let mut rng = StdRng::seed_from_u64(seed);
            let mut bench = Bench::open(state);
            for _ in 0..200 {
                bench.step(&mut rng);
            }
            bench.commit(true);
            let mut commit = Commit::default();
            bench.store.begin_generation(&mut commit).unwrap();
            bench.state.commit(commit, false).unwrap();
            let mut built = Model::new();
            for (key, value) in &bench.now {
                if rng.random_bool(0.7) {
                    let keep = rng.random_bool(0.8);
                    let value = if keep {
                        value.clone()
                    } else {
                        "new".to_owned()
                    };
                    built.insert(*key, value);
                }
            }
            built.insert(1_000, "last".to_owned());
            for (key, value) in &built {
                bench
                    .store
                    .update_building(key, |held| *held = Some(value.clone()))
                    .unwrap();
            }
            bench.check();
            bench.commit(true);

            bench.store.switch_generation();
            let mut rows = bench.now.clone();
            let mut after = None;
            loop {
                let found = bench.store.differences(after.as_ref(), 3).unwrap();
                let Some(last) = found.last() else { break };
                after = Some(last.key);
                for difference in found {
                    assert_ne!(difference.old, difference.new);
                    assert_eq!(difference.old.as_ref(), rows.get(&difference.key));
                    match difference.new {
                        Some(new) => rows.insert(difference.key, new),
                        None => rows.remove(&difference.key),
                    };
                }
            }
            assert_eq!(rows, built);

            let mut commit = Commit::default();
            let generations = bench.store.end_generation(&mut commit);
            bench.state.commit(commit, false).unwrap();
            bench.now = built.clone();
            bench.committed = built;
            bench.check();
            let again = KeyValueStore::open(&bench.state, format(), 3, generations).unwrap();
            bench.store = again;
            bench.check();
        }
    }
}

type Buckets = BTreeMap<(String, i64), u64>;

#[test]
fn a_bucket_store_is_a_sorted_map_of_pairs() {
    for seed in 0..30 {
        for (state, _dir) in states() {
            let mut rng = StdRng::seed_from_u64(seed);
            let format = Arc::new(BucketFormat::<String, i64, u64>::new(
                "b",
                String::codec(),
                i64::codec(),
                bincode(),
            ));
            let open = || BucketStore::open(&state, format.clone(), 0, Generations::default());
            let mut store = open().unwrap();
            let (mut now, mut committed) = (Buckets::new(), Buckets::new());
            for _ in 0..600 {
                let key = ["", "a", "ab", "b\0"][rng.random_range(0..4)].to_owned();
                let sub = rng.random_range(-40..40);
                match rng.random_range(0..16) {
                    0..=7 => {
                        let value = rng.random_bool(0.7).then(|| rng.random_range(0..9));
                        store
                            .update(Target::Current, &key, &sub, |held| *held = value)
                            .unwrap();
                        match value {
                            Some(value) => now.insert((key, sub), value),
                            None => now.remove(&(key, sub)),
                        };
                    }
                    8..=9 => {
                        let got = store.get(Target::Current, &key, &sub).unwrap();
                        assert_eq!(got, now.get(&(key, sub)).copied());
                    }
                    10..=11 => {
                        let mut got = Vec::new();
                        store
                            .scan(Target::Current, &key, &mut |sub, value| {
                                got.push(((key.clone(), *sub), *value));
                                Ok(ControlFlow::Continue(()))
                            })
                            .unwrap();
                        let want: Vec<_> = now
                            .iter()
                            .filter(|((k, _), _)| *k == key)
                            .map(|(k, v)| (k.clone(), *v))
                            .collect();
                        assert_eq!(got, want);
                        let first = store.first(Target::Current, &key).unwrap();
                        assert_eq!(first, want.first().map(|((_, s), v)| (*s, *v)));
                    }
                    12..=13 => {
                        let mut commit = Commit::default();
                        store.freeze(&mut commit).unwrap();
                        state.commit(commit, false).unwrap();
                        store.committed();
                        committed = now.clone();
                    }
                    14 => {
                        store.rollback();
                        now = committed.clone();
                    }
                    _ if rng.random_bool(0.2) => {
                        store.rollback();
                        now = committed.clone();
                        store = open().unwrap();
                    }
                    _ => store.evict(rng.random_range(0..3_000)),
                }
            }
        }
    }
}

#[test]
fn a_large_bucket_is_not_held_as_a_whole() {
    for (state, _dir) in states() {
        let format = Arc::new(BucketFormat::<(), u32, u32>::new(
            "b",
            <()>::codec(),
            u32::codec(),
            bincode(),
        ));
        let open = || BucketStore::open(&state, format.clone(), 0, Generations::default()).unwrap();
        let mut store = open();
        let put = |store: &mut BucketStore<(), u32, u32>, sub: u32, value: Option<u32>| {
            store
                .update(Target::Current, &(), &sub, |held| *held = value)
                .unwrap();
        };
        for sub in 0..10_000 {
            put(&mut store, sub, Some(sub));
        }
        let mut commit = Commit::default();
        store.freeze(&mut commit).unwrap();
        state.commit(commit, false).unwrap();

        let mut store = open();
        for sub in (0..10_000).filter(|sub| sub % 2 == 0) {
            put(&mut store, sub, None);
        }
        put(&mut store, 20_000, Some(1));
        assert_eq!(store.first(Target::Current, &()).unwrap(), Some((1, 1)));
        let mut n = 0;
        store
            .scan(Target::Current, &(), &mut |sub, _| {
                assert!(sub % 2 == 1 || *sub == 20_000);
                n += 1;
                Ok(ControlFlow::Continue(()))
            })
            .unwrap();
        assert_eq!(n, 5_001);
        assert_eq!(store.get(Target::Current, &(), &7).unwrap(), Some(7));
        assert_eq!(store.get(Target::Current, &(), &8).unwrap(), None);
    }
}

#[cfg(feature = "rocksdb")]
#[test]
fn a_directory_has_one_owner_and_one_format() {
    let dir = tempfile::tempdir().unwrap();
    let state = State::open(dir.path(), StateOptions::default()).unwrap();
    let again = State::open(dir.path(), StateOptions::default()).unwrap_err();
    assert!(
        again.to_string().contains("in use by this process"),
        "{again}"
    );
    let mut commit = Commit::default();
    commit.put_meta("format", &9u32.to_be_bytes());
    state.commit(commit, true).unwrap();
    assert_eq!(state.epoch(), 2);
    drop(state);
    let other = State::open(dir.path(), StateOptions::default()).unwrap_err();
    assert!(other.to_string().contains("format 9"), "{other}");
}
