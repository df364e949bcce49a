//! What may happen next.

use std::time::Duration;

use rand::Rng;
use rand::seq::IndexedRandom;

use super::query::{APPLICATION, KEYS, PARTITIONS};
use super::world::{Mistake, SESSION, TRANSACTION, World};
use crate::cluster::memory::{Fault, MarkerTarget, Markers};
use crate::streams::ProcessingGuarantee;

const FAULTS: [Fault; 8] = [
    Fault::Call,
    Fault::Send,
    Fault::Flush,
    Fault::SendOffsets,
    Fault::Commit,
    Fault::CommitLost,
    Fault::AnswerLost,
    Fault::AbortAnswerLost,
];

const CHANGELOGS: [&str; 4] = ["counts", "users-by-id", "tasks", "profiles-by-id"];

impl World {
    /// One thing happens.
    pub(super) fn step(&mut self) -> Result<(), String> {
        self.steps += 1;
        if self.held {
            self.settle_some();
        }
        match self.rng.random_range(0..1_000) {
            0..800 => return self.any_turn(),
            800..870 => self.input(),
            870..940 => {
                let by = self.rng.random_range(1..40);
                self.pass(Duration::from_millis(by));
            }
            940..943 => self.pass(SESSION + Duration::from_millis(5)),
            943..944 => self.pass(TRANSACTION + Duration::from_millis(5)),
            944..950 => self.crash(false),
            950..953 => self.crash(true),
            953..965 => self.start_any(),
            965..968 => self.close_any(),
            968..974 => self.pause(),
            974..985 => self.plan_fault(),
            985..990 => self.hold_markers(),
            990..996 => self.write_markers(),
            996..998 => self.elect(),
            998..999 => self.expire(),
            _ => self.compact(),
        }
        Ok(())
    }

    fn any_turn(&mut self) -> Result<(), String> {
        let awake: Vec<usize> = (0..self.instances.len())
            .filter(|at| self.is_awake(*at))
            .collect();
        let Some(at) = awake.choose(&mut self.rng).copied() else {
            return Ok(());
        };
        let parts = self.instances[at].process.as_ref().map_or(1, |p| p.parts());
        let part = self.rng.random_range(0..parts);
        let times = self.rng.random_range(1..8);
        for _ in 0..times {
            self.turn(at, part)?;
        }
        Ok(())
    }

    fn input(&mut self) {
        let topics = !self.files_alone || self.rng.random_bool(0.05);
        if topics {
            for _ in 0..self.rng.random_range(1..6) {
                self.write_word();
            }
        }
        if topics && self.rng.random_bool(0.1) {
            let number = self.rng.random_range(0..KEYS);
            self.write_user(number);
        }
        if self.files_alone || self.rng.random_bool(0.5) {
            for _ in 0..self.rng.random_range(1..6) {
                self.write_line();
            }
        }
        if self.rng.random_bool(0.03) {
            self.trace.note("profiles are replaced".to_owned());
            self.replace_profiles();
        }
        self.trace.note(format!("input up to {}", self.written));
    }

    pub(super) fn pass(&mut self, time: Duration) {
        self.clock.advance(time);
        self.trace.note(format!("{time:?} pass"));
    }

    fn any(&mut self, running: bool) -> Option<usize> {
        let fits: Vec<usize> = (0..self.instances.len())
            .filter(|at| self.instances[*at].process.is_some() == running)
            .collect();
        fits.choose(&mut self.rng).copied()
    }

    fn crash(&mut self, loses: bool) {
        let Some(at) = self.any(true) else {
            return;
        };
        self.trace.note(format!("crash {at}, loses state: {loses}"));
        let instance = &mut self.instances[at];
        instance.process = None;
        let lost = match (loses, self.mistake) {
            (false, _) => Ok(()),
            (true, Some(Mistake::PositionKept)) => instance.lose_rows(),
            (true, _) => instance.lose_state(),
        };
        lost.expect("a state in memory can be written");
    }

    fn start_any(&mut self) {
        if let Some(at) = self.any(false) {
            self.start(at);
        }
    }

    fn close_any(&mut self) {
        if let Some(at) = self.any(true) {
            self.trace.note(format!("close {at}"));
            if let Some(process) = &mut self.instances[at].process {
                process.close();
            }
        }
    }

    fn pause(&mut self) {
        if let Some(at) = self.any(true) {
            let until = self.steps + self.rng.random_range(20..200);
            self.trace.note(format!("pause {at}"));
            if let Some(process) = &mut self.instances[at].process {
                process.paused_until = until;
            }
            // Others take over, or even the transaction is over when it wakes.
            match self.rng.random_range(0..8) {
                0..4 => self.pass(SESSION + Duration::from_millis(5)),
                4 => self.pass(TRANSACTION + Duration::from_millis(5)),
                _ => {}
            }
        }
    }

    fn plan_fault(&mut self) {
        let fault = *FAULTS.choose(&mut self.rng).expect("there are faults");
        let passing = self.rng.random_range(0..6);
        let times = self.rng.random_range(1..3);
        self.trace
            .note(format!("{fault:?} after {passing}, {times} times"));
        self.cluster.fail_after(fault, passing, times);
    }

    fn hold_markers(&mut self) {
        self.held = !self.held;
        self.trace.note(format!("markers held: {}", self.held));
        let markers = if self.held {
            Markers::Held
        } else {
            Markers::AtOnce
        };
        self.cluster.set_markers(markers);
    }

    /// Instances hear what others tell them, and now and then offsets are told, though markers of other
    /// topics are held.
    fn settle_some(&mut self) {
        let offsets = self.rng.random_bool(0.1);
        for target in self.cluster.markers_in_flight() {
            let control = target.to_string() == "app-control-0";
            if control || (offsets && matches!(target, MarkerTarget::Group(_))) {
                self.cluster.write_markers_to(&target);
            }
        }
    }

    fn write_markers(&mut self) {
        let targets = self.cluster.markers_in_flight();
        if let Some(target) = targets.choose(&mut self.rng) {
            self.trace.note(format!("markers to {target}"));
            self.cluster.write_markers_to(target);
        }
    }

    /// Leaders change, and nothing is lost by that.
    fn elect(&mut self) {
        self.trace.note("leaders are elected".to_owned());
        for topic in CHANGELOGS {
            for partition in 0..PARTITIONS {
                if self.rng.random_bool(0.5) {
                    // The first instance may not have made it yet.
                    let _ = (self.cluster).elect(&format!("app-{topic}-changelog"), partition);
                }
            }
        }
        let _ = self.cluster.elect("app-positions", 0);
    }

    /// All processes end, and none begins again until the group has forgotten how far it has read.
    fn expire(&mut self) {
        self.trace.note("the offsets expire".to_owned());
        for instance in &mut self.instances {
            instance.process = None;
        }
        // Long before that, transactions are over.
        self.cluster.expire_transactions();
        self.cluster.write_markers();
        self.cluster.expire_offsets(APPLICATION);
        match self.guarantee {
            // That of the positions of files only counts commits.
            ProcessingGuarantee::ExactlyOnce => {
                self.committed
                    .retain(|(topic, _), _| *topic != "app-positions");
            }
            // What goes with the rows may be that of the commit before.
            ProcessingGuarantee::AtLeastOnce => self.committed.clear(),
        }
    }

    fn compact(&mut self) {
        self.trace.note("compact".to_owned());
        let _ = self.cluster.compact("app-control");
        let _ = self.cluster.compact("app-positions");
        for topic in CHANGELOGS {
            // The first instance may not have made them yet.
            let _ = self.cluster.compact(&format!("app-{topic}-changelog"));
        }
    }
}
