//! Who should run which tasks, as a function of what is known.
//!
//! Tasks are spread evenly over threads, and change hands as little as that allows. Where tasks have rows,
//! a task runs where these are up to date: an instance that should have it and lacks them first becomes
//! its standby, and gets it once it has caught up, as in Kafka Streams (KIP-441).
//!
//! A task that reads a file goes to who has the file. Where nobody has it, the task stays with whoever runs
//! it, and is nobody's where nobody does.

use std::collections::{BTreeMap, BTreeSet};

/// An instance that tasks can run on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Candidate {
    /// How many threads it has.
    pub(super) threads: u16,
    /// How far its rows are behind, by task, where that is known.
    pub(super) lags: BTreeMap<u16, u64>,
    /// The tasks that it is a standby of already.
    pub(super) standby_of: BTreeSet<u16>,
    /// The tasks that it cannot run, as a file is not there that they read.
    pub(super) lacks: BTreeSet<u16>,
}

impl Candidate {
    fn can_run(&self, lane: u16) -> bool {
        !self.lacks.contains(&lane)
    }
}

/// What a user says about where tasks should run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::streams) struct Limits {
    /// How many instances keep the rows of a task up to date beside its owner.
    pub(in crate::streams) standbys: usize,
    /// How many tasks are prepared to move at a time.
    pub(in crate::streams) warmups: usize,
    /// How many records rows may be behind to count as up to date.
    pub(in crate::streams) acceptable_lag: u64,
    /// False where tasks have no rows.
    pub(in crate::streams) stateful: bool,
}

/// Where tasks should run now; the numbers are those of candidates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) active: BTreeMap<u16, usize>,
    pub(super) standby: BTreeMap<u16, BTreeSet<usize>>,
}

/// Says where tasks should run. `holders` tells who has each task now, of those that somebody has.
pub(super) fn assign(
    lanes: u16,
    holders: &BTreeMap<u16, usize>,
    candidates: &[Candidate],
    limits: Limits,
) -> Target {
    let mut target = Target::default();
    if candidates.is_empty() {
        return target;
    }
    let ideal = balance(lanes, holders, candidates);
    let ready = |at: usize, lane: u16| {
        let lag = candidates[at].lags.get(&lane);
        candidates[at].can_run(lane)
            && (!limits.stateful || lag.is_some_and(|lag| *lag <= limits.acceptable_lag))
    };
    let mut warmups = Vec::new();
    for (&lane, &wanted) in &ideal {
        let now = match holders.get(&lane) {
            _ if ready(wanted, lane) => wanted,
            Some(&holder) => holder,
            // Nobody has it: who has its rows goes on at once.
            None => {
                let able = (0..candidates.len()).filter(|at| ready(*at, lane));
                let load = |at: &usize| target.active.values().filter(|of| *of == at).count();
                able.min_by_key(load).unwrap_or(wanted)
            }
        };
        if now != wanted {
            warmups.push((lane, wanted));
        }
        target.active.insert(lane, now);
    }
    if limits.stateful {
        for &(lane, at) in warmups.iter().take(limits.warmups) {
            target.standby.entry(lane).or_default().insert(at);
        }
        add_standbys(&mut target, candidates, limits);
    }
    target
}

/// The even distribution that is nearest to what is.
fn balance(
    lanes: u16,
    holders: &BTreeMap<u16, usize>,
    candidates: &[Candidate],
) -> BTreeMap<u16, usize> {
    let mut places: BTreeMap<u16, usize> = holders.clone();
    places.retain(|lane, at| *lane < lanes && *at < candidates.len());
    let mut loads = vec![0_usize; candidates.len()];
    let can = |at: usize, lane: u16| candidates[at].can_run(lane);
    let by_some = |lane: u16| (0..candidates.len()).any(|at| can(at, lane));
    places.retain(|lane, at| can(*at, *lane) || !by_some(*lane));
    let lanes: Vec<u16> = (0..lanes)
        .filter(|lane| places.contains_key(lane) || by_some(*lane))
        .collect();
    for at in places.values() {
        loads[*at] += 1;
    }
    // Those come first that not all can run.
    for &lane in &lanes {
        let mut all = 0..candidates.len();
        if places.contains_key(&lane) || all.all(|at| can(at, lane)) {
            continue;
        }
        let able = (0..candidates.len()).filter(|at| can(*at, lane));
        let cost = |at: &usize| {
            let candidate = &candidates[*at];
            let lag = candidate.lags.get(&lane).copied();
            let kept = candidate.standby_of.contains(&lane);
            (!kept, lag.unwrap_or(u64::MAX), loads[*at])
        };
        if let Some(at) = able.min_by_key(cost) {
            places.insert(lane, at);
            loads[at] += 1;
        }
    }
    let quotas = quotas(lanes.len(), &loads, candidates);
    // Of all moves that make it more even, first comes the one that costs least: of a task that nobody has,
    // to who has kept its rows, and is the least behind.
    loop {
        let to_be_had = |lane: &u16| match places.get(lane) {
            None => true,
            Some(from) => loads[*from] > quotas[*from],
        };
        let lanes: Vec<u16> = lanes.iter().copied().filter(to_be_had).collect();
        let needy = (0..candidates.len()).filter(|at| loads[*at] < quotas[*at]);
        let moves = needy.flat_map(|to| lanes.iter().map(move |lane| (to, *lane)));
        let moves = moves.filter(|(to, lane)| can(*to, *lane));
        let cost = |(to, lane): &(usize, u16)| {
            let candidate = &candidates[*to];
            (
                places.contains_key(lane),
                !candidate.standby_of.contains(lane),
                candidate.lags.get(lane).copied().unwrap_or(u64::MAX),
                loads[*to],
                *lane,
                *to,
            )
        };
        let Some((to, lane)) = moves.min_by_key(cost) else {
            return places;
        };
        if let Some(from) = places.insert(lane, to) {
            loads[from] -= 1;
        }
        loads[to] += 1;
    }
}

/// How many tasks each candidate should have, by its threads; what is left over stays with those that have
/// most.
fn quotas(lanes: usize, loads: &[usize], candidates: &[Candidate]) -> Vec<usize> {
    let threads = |at: usize| usize::from(candidates[at].threads.max(1));
    let all: usize = (0..candidates.len()).map(threads).sum();
    let mut quotas: Vec<usize> = (0..candidates.len())
        .map(|at| lanes * threads(at) / all)
        .collect();
    let over = lanes - quotas.iter().sum::<usize>();
    let mut order: Vec<usize> = (0..candidates.len()).collect();
    let rest = |at: usize| lanes * threads(at) % all;
    order.sort_by_key(|&at| {
        let has = loads[at] > quotas[at];
        (std::cmp::Reverse((has, rest(at))), at)
    });
    for at in order.into_iter().take(over) {
        quotas[at] += 1;
    }
    quotas
}

fn add_standbys(target: &mut Target, candidates: &[Candidate], limits: Limits) {
    let mut loads = vec![0_usize; candidates.len()];
    for of in target.standby.values() {
        of.iter().for_each(|at| loads[*at] += 1);
    }
    for (&lane, &active) in &target.active {
        let already = target.standby.entry(lane).or_default();
        let mut others: Vec<usize> = (0..candidates.len())
            .filter(|at| *at != active && !already.contains(at))
            .collect();
        others.sort_by_key(|&at| {
            let stays = candidates[at].standby_of.contains(&lane);
            (
                !stays,
                loads[at] / usize::from(candidates[at].threads.max(1)),
                at,
            )
        });
        for at in others.into_iter().take(limits.standbys) {
            loads[at] += 1;
            already.insert(at);
        }
    }
    target.standby.retain(|_, of| !of.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        standbys: 0,
        warmups: 2,
        acceptable_lag: 100,
        stateful: true,
    };

    fn instance(threads: u16, lags: &[(u16, u64)]) -> Candidate {
        Candidate {
            threads,
            lags: lags.iter().copied().collect(),
            ..Candidate::default()
        }
    }

    fn all_warm(threads: u16, lanes: u16) -> Candidate {
        let lags: Vec<(u16, u64)> = (0..lanes).map(|lane| (lane, 0)).collect();
        instance(threads, &lags)
    }

    /// `0 1 -` is who has tasks 0 to 2.
    fn holders(text: &str) -> BTreeMap<u16, usize> {
        let words = text.split(' ').enumerate();
        let known = words.filter_map(|(lane, at)| Some((lane as u16, at.parse().ok()?)));
        known.collect()
    }

    fn shown(target: &Target) -> String {
        let active: Vec<String> = target.active.values().map(usize::to_string).collect();
        let standby = target.standby.iter();
        let standby: Vec<String> = standby.map(|(lane, of)| format!("{lane}:{of:?}")).collect();
        format!("{} {}", active.join(" "), standby.join(" "))
            .trim_end()
            .to_owned()
    }

    fn assigned(now: &str, candidates: &[Candidate], limits: Limits) -> String {
        let lanes = now.split(' ').count() as u16;
        shown(&assign(lanes, &holders(now), candidates, limits))
    }

    #[test]
    fn shares_are_even_and_stay() {
        let (one, two) = (all_warm(1, 6), all_warm(2, 6));
        let cases: [(&str, &[&Candidate], &str); 9] = [
            ("- - -", &[&one], "0 0 0"),
            ("- - - -", &[&one, &one], "0 1 0 1"),
            ("0 0 0 0", &[&one, &one], "1 1 0 0"),
            ("0 0 1 1", &[&one, &one], "0 0 1 1"),
            ("0 0 1", &[&one, &one], "0 0 1"),
            ("1 1 0", &[&one, &one], "1 1 0"),
            ("0 0 0 0 0 0", &[&one, &two], "1 1 1 1 0 0"),
            ("0 0 1 1 - -", &[&one, &one], "0 0 1 1 0 1"),
            ("0", &[&one, &one, &one], "0"),
        ];
        for (now, candidates, then) in cases {
            let candidates: Vec<Candidate> = candidates.iter().map(|c| (*c).clone()).collect();
            assert_eq!(assigned(now, &candidates, LIMITS), then, "{now}");
        }
        assert_eq!(assigned("0 0", &[], LIMITS), "");
    }

    #[test]
    fn tasks_go_to_who_can_run_them() {
        let able = all_warm(1, 4);
        let lacking = Candidate {
            lacks: [0].into(),
            ..able.clone()
        };
        let both = [able.clone(), lacking.clone()];
        assert_eq!(assigned("- - - -", &both, LIMITS), "0 1 0 1");
        assert_eq!(assigned("1 1 0 0", &both, LIMITS), "0 1 1 0");
        assert_eq!(assigned("- 0 0 0", &both, LIMITS), "0 1 1 0");
        // It is nobody's where nobody can run it, and stays where it was.
        let neither = [lacking.clone(), lacking.clone()];
        let target = assign(3, &holders("- 0 0"), &neither, LIMITS);
        assert_eq!(target.active, [(1, 1), (2, 0)].into());
        assert_eq!(assigned("0 1 1", &neither, LIMITS), "0 1 1");
        // Its rows come first.
        let cold = instance(1, &[]);
        let now = assigned("0 1 1", &[lacking, cold], LIMITS);
        assert_eq!(now, "0 0 1 0:{1}");
    }

    #[test]
    fn tasks_without_rows_move_at_once() {
        let limits = Limits {
            stateful: false,
            ..LIMITS
        };
        let (old, new) = (instance(1, &[]), instance(1, &[]));
        assert_eq!(assigned("0 0 0 0", &[old, new], limits), "1 1 0 0");
    }

    #[test]
    fn tasks_move_when_their_rows_are_there() {
        let old = instance(1, &[]);
        let behind = instance(1, &[(0, 1_000), (1, 50)]);
        // Task 1 is near enough; another one is prepared.
        let both = [old.clone(), behind];
        assert_eq!(assigned("0 0 0 0", &both, LIMITS), "0 1 0 0 0:{1}");
        let mut warming = instance(1, &[(0, 1_000), (1, 0)]);
        warming.standby_of = [0].into();
        let both = [old.clone(), warming];
        assert_eq!(assigned("0 1 0 0", &both, LIMITS), "0 1 0 0 0:{1}");
        let both = [old, instance(1, &[(0, 100), (1, 0)])];
        assert_eq!(assigned("0 1 0 0", &both, LIMITS), "1 1 0 0");
    }

    #[test]
    fn only_so_many_tasks_are_prepared_at_a_time() {
        let six = assigned("0 0 0 0 0 0", &[instance(1, &[]), instance(1, &[])], LIMITS);
        assert_eq!(six, "0 0 0 0 0 0 0:{1} 1:{1}");
    }

    #[test]
    fn who_has_the_rows_takes_over() {
        let (cold, warm) = (instance(1, &[]), instance(1, &[(0, 5), (1, 5)]));
        // Both go to who has them; one is prepared where it should be.
        let now = assigned("- -", &[cold.clone(), warm], LIMITS);
        assert_eq!(now, "1 1 1:{0}");
        // Nobody has them.
        assert_eq!(assigned("- -", &[cold.clone(), cold], LIMITS), "0 1");
    }

    #[test]
    fn standbys_are_elsewhere_and_stay() {
        let limits = Limits {
            standbys: 1,
            ..LIMITS
        };
        let three = [all_warm(1, 3), all_warm(1, 3), all_warm(1, 3)];
        let first = assigned("0 1 2", &three, limits);
        assert_eq!(first, "0 1 2 0:{1} 1:{0} 2:{0}");
        let mut moved = three.clone();
        moved[2].standby_of = [0].into();
        moved[0].standby_of = [1, 2].into();
        assert_eq!(assigned("0 1 2", &moved, limits), "0 1 2 0:{2} 1:{0} 2:{0}");
        let alone = assigned("0 0 0", &three[..1], limits);
        assert_eq!(alone, "0 0 0");
    }

    /// Whatever is known, tasks have owners, standbys are elsewhere, and repeating the function with what
    /// it said ends.
    #[test]
    fn every_start_comes_to_rest() {
        use rand::rngs::StdRng;
        use rand::{Rng, SeedableRng};
        for seed in 0..500 {
            let mut rng = StdRng::seed_from_u64(seed);
            let lanes = rng.random_range(1..12_u16);
            let mut candidates: Vec<Candidate> = (0..rng.random_range(1..5))
                .map(|_| Candidate {
                    threads: rng.random_range(1..4),
                    lags: (0..lanes)
                        .filter_map(|lane| {
                            let known = rng.random_bool(0.5);
                            known.then(|| (lane, rng.random_range(0..300)))
                        })
                        .collect(),
                    standby_of: BTreeSet::new(),
                    // Each may lack what task 0 reads.
                    lacks: (0..1).filter(|_| rng.random_bool(0.3)).collect(),
                })
                .collect();
            let placed = candidates.iter().any(|of| of.can_run(0));
            let limits = Limits {
                standbys: rng.random_range(0..3),
                ..LIMITS
            };
            let mut holders: BTreeMap<u16, usize> = (0..lanes)
                .filter_map(|lane| {
                    let held = rng.random_bool(0.5);
                    held.then(|| (lane, rng.random_range(0..candidates.len())))
                })
                .collect();
            let mut before = None;
            let rest = (0..100).any(|_| {
                let target = assign(lanes, &holders, &candidates, limits);
                let lost = !placed && !holders.contains_key(&0);
                assert_eq!(target.active.len() + usize::from(lost), usize::from(lanes));
                for (lane, of) in &target.standby {
                    assert!(!of.contains(&target.active[lane]), "seed {seed}");
                    // Standbys catch up.
                    for at in of {
                        candidates[*at].lags.insert(*lane, 0);
                    }
                }
                for (at, candidate) in candidates.iter_mut().enumerate() {
                    let standbys = target.standby.iter().filter(|(_, of)| of.contains(&at));
                    candidate.standby_of = standbys.map(|(lane, _)| *lane).collect();
                }
                // A task that goes to another is nobody's in between.
                let stays = |lane: &u16, at: &mut usize| target.active[lane] == *at;
                let moving = holders.iter().any(|(lane, at)| target.active[lane] != *at);
                holders.retain(stays);
                if !moving {
                    holders = target.active.clone();
                }
                let settled = before.as_ref() == Some(&target);
                before = Some(target);
                settled
            });
            assert!(rest, "seed {seed} goes on for ever");
            if let (Some(at), true) = (holders.get(&0), placed) {
                assert!(candidates[*at].can_run(0), "seed {seed}");
            }
            if candidates.iter().any(|of| !of.can_run(0)) {
                continue;
            }
            let threads: usize = candidates.iter().map(|c| usize::from(c.threads)).sum();
            for (at, candidate) in candidates.iter().enumerate() {
                let has = holders.values().filter(|of| **of == at).count();
                let fair = usize::from(lanes) * usize::from(candidate.threads) / threads;
                assert!(
                    (fair..=fair + 1).contains(&has),
                    "seed {seed}: {at} has {has}"
                );
            }
        }
    }
}
