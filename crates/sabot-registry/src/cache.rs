//! A bounded cache with single flight and brief memory of what does not exist.
//!
//! A hit is one sharded-map lookup and one `Arc` clone: no HTTP, no parsing, no lock that a fetch could hold. A miss
//! puts a *flight* in the slot; whoever comes while it is under way waits for its result instead of asking again. The
//! map's own locks are held only to read or swap a slot, never while fetching.
//!
//! Eviction is first in, first out with a second chance for what was used since: a hit costs one relaxed store at
//! most, where an LRU list would cost a lock.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

use crate::retry::Deadline;
use crate::{Error, ErrorKind};

/// How long a fetched value, or a failure, is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lifetimes {
    /// `None`: for ever, as far as the capacity allows.
    pub(crate) value: Option<Duration>,
    /// Of "there is no such thing"; every other failure is forgotten at once.
    pub(crate) absence: Duration,
}

pub(crate) struct Cache<K, V, S = RandomState> {
    slots: DashMap<K, Slot<V>, S>,
    /// Keys in the order in which their slots were filled. Its length bounds the number of filled slots.
    filled: Mutex<VecDeque<K>>,
    capacity: usize,
    lifetimes: Lifetimes,
}

enum Slot<V> {
    Value {
        value: Arc<V>,
        expires: Option<Instant>,
        used: AtomicBool,
    },
    Absent {
        error: Error,
        expires: Option<Instant>,
    },
    Flight(Arc<Flight<V>>),
}

/// A fetch under way.
struct Flight<V> {
    state: Mutex<State<V>>,
    over: Condvar,
}

enum State<V> {
    UnderWay,
    Landed(Result<Arc<V>, Error>),
    /// The thread that was fetching panicked.
    Lost,
}

/// What somebody who asks for a key has to do.
enum Boarding<V> {
    Settled(Result<Arc<V>, Error>),
    /// Fetch it.
    Pilot(Arc<Flight<V>>),
    /// Wait for whoever fetches it.
    Passenger(Arc<Flight<V>>),
}

impl<K: Hash + Eq + Clone, V, S: BuildHasher + Clone + Default> Cache<K, V, S> {
    pub(crate) fn new(capacity: usize, lifetimes: Lifetimes) -> Self {
        Self {
            slots: DashMap::with_hasher(S::default()),
            filled: Mutex::new(VecDeque::new()),
            capacity: capacity.max(1),
            lifetimes,
        }
    }

    /// The value, if it is there and fresh.
    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        match &*self.slots.get(key)? {
            Slot::Value { value, expires, used } if is_fresh(*expires) => {
                // Only the first hit writes, so that hits on several cores share the cache line.
                if !used.load(Ordering::Relaxed) {
                    used.store(true, Ordering::Relaxed);
                }
                Some(Arc::clone(value))
            }
            _ => None,
        }
    }

    /// The value, from the cache or from `fetch`, which runs once for all who ask meanwhile.
    ///
    /// `fetch` may use other caches, and other keys of this one, but never the same key.
    pub(crate) fn get_or_fetch(
        &self,
        key: &K,
        deadline: Deadline,
        fetch: impl FnOnce() -> Result<V, Error>,
    ) -> Result<Arc<V>, Error> {
        let flight = loop {
            if let Some(value) = self.get(key) {
                return Ok(value);
            }
            match self.board(key) {
                Boarding::Settled(outcome) => return outcome,
                Boarding::Pilot(flight) => break flight,
                Boarding::Passenger(flight) => {
                    if let Some(outcome) = flight.wait(deadline) {
                        return outcome;
                    }
                }
            }
        };
        let mut pilot = Pilot {
            cache: self,
            key,
            flight,
            outcome: None,
        };
        let outcome = fetch().map(Arc::new);
        pilot.outcome = Some(outcome.clone());
        drop(pilot);
        outcome
    }

    /// Looks again, now with the slot locked, and makes a flight of it where it is empty or stale.
    fn board(&self, key: &K) -> Boarding<V> {
        let mut slot = match self.slots.entry(key.clone()) {
            Entry::Occupied(slot) => slot,
            Entry::Vacant(slot) => {
                let flight = Arc::new(Flight::new());
                slot.insert(Slot::Flight(Arc::clone(&flight)));
                return Boarding::Pilot(flight);
            }
        };
        match slot.get() {
            Slot::Value { value, expires, .. } if is_fresh(*expires) => {
                return Boarding::Settled(Ok(Arc::clone(value)));
            }
            Slot::Absent { error, expires } if is_fresh(*expires) => {
                return Boarding::Settled(Err(error.clone()));
            }
            Slot::Flight(flight) => return Boarding::Passenger(Arc::clone(flight)),
            Slot::Value { .. } | Slot::Absent { .. } => {}
        }
        let flight = Arc::new(Flight::new());
        slot.insert(Slot::Flight(Arc::clone(&flight)));
        Boarding::Pilot(flight)
    }

    /// Forgets one key, were it absent or not.
    pub(crate) fn forget(&self, key: &K) {
        self.slots
            .remove_if(key, |_, slot| !matches!(slot, Slot::Flight(_)));
    }

    /// Forgets the keys that `doomed` names. Flights go on.
    pub(crate) fn forget_where(&self, doomed: impl Fn(&K) -> bool) {
        self.slots
            .retain(|key, slot| matches!(slot, Slot::Flight(_)) || !doomed(key));
    }

    /// Replaces the flight by its outcome, and makes room.
    fn settle(&self, key: &K, outcome: &Result<Arc<V>, Error>) {
        let expires = |after: Option<Duration>| after.and_then(|after| Instant::now().checked_add(after));
        let slot = match outcome {
            Ok(value) => Slot::Value {
                value: Arc::clone(value),
                expires: expires(self.lifetimes.value),
                used: AtomicBool::new(false),
            },
            Err(error) if error.is_absence() && !self.lifetimes.absence.is_zero() => Slot::Absent {
                error: error.clone(),
                expires: expires(Some(self.lifetimes.absence)),
            },
            Err(_) => {
                self.slots.remove(key);
                return;
            }
        };
        self.slots.insert(key.clone(), slot);
        let mut filled = lock(&self.filled);
        filled.push_back(key.clone());
        // Ends: each turn either shortens the queue or takes one `used` mark away, and new marks are bounded below.
        let mut chances = filled.len();
        while filled.len() > self.capacity {
            let Some(oldest) = filled.pop_front() else { break };
            let spared = chances > 0 && self.slots.get(&oldest).is_some_and(|slot| slot.take_mark());
            chances = chances.saturating_sub(1);
            if spared {
                filled.push_back(oldest);
            } else {
                self.forget(&oldest);
            }
        }
    }
}

impl<V> Slot<V> {
    /// Whether it was used since the last call.
    fn take_mark(&self) -> bool {
        matches!(self, Self::Value { used, .. } if used.swap(false, Ordering::Relaxed))
    }
}

impl<V> Flight<V> {
    fn new() -> Self {
        Self {
            state: Mutex::new(State::UnderWay),
            over: Condvar::new(),
        }
    }

    /// The outcome; `None` where the flight was lost, and somebody else has to fetch.
    fn wait(&self, deadline: Deadline) -> Option<Result<Arc<V>, Error>> {
        let mut state = lock(&self.state);
        loop {
            match &*state {
                State::Landed(outcome) => return Some(outcome.clone()),
                State::Lost => return None,
                State::UnderWay => {}
            }
            let Some(left) = deadline.left() else {
                let fault = "another thread that asked for the same first has no answer yet";
                return Some(Err(Error::new(ErrorKind::Timeout, fault)));
            };
            state = self
                .over
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// Sees to it that a flight ends, even where fetching panics.
struct Pilot<'a, K: Hash + Eq + Clone, V, S: BuildHasher + Clone + Default> {
    cache: &'a Cache<K, V, S>,
    key: &'a K,
    flight: Arc<Flight<V>>,
    outcome: Option<Result<Arc<V>, Error>>,
}

impl<K: Hash + Eq + Clone, V, S: BuildHasher + Clone + Default> Drop for Pilot<'_, K, V, S> {
    fn drop(&mut self) {
        // The slot first: who hears that the flight was lost must not find it there again.
        let state = match self.outcome.take() {
            Some(outcome) => {
                self.cache.settle(self.key, &outcome);
                State::Landed(outcome)
            }
            None => {
                self.cache.slots.remove(self.key);
                State::Lost
            }
        };
        *lock(&self.flight.state) = state;
        self.flight.over.notify_all();
    }
}

fn is_fresh(expires: Option<Instant>) -> bool {
    expires.is_none_or(|expires| Instant::now() < expires)
}

/// No code that could panic runs under these locks, so that a poisoned one still holds sound data.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hashes schema ids with one folded multiplication: which costs a hit far less than the default SipHash.
///
/// Ids come from messages, which anybody may write, so the multiplier is random; the cache's capacity bounds what a
/// collision can cost anyway.
#[derive(Debug, Clone)]
pub(crate) struct IdHash {
    seed: u64,
    multiplier: u64,
}

impl Default for IdHash {
    fn default() -> Self {
        Self {
            seed: fastrand::u64(..),
            multiplier: fastrand::u64(..) | 1,
        }
    }
}

impl BuildHasher for IdHash {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher {
            state: self.seed,
            multiplier: self.multiplier,
        }
    }
}

pub(crate) struct IdHasher {
    state: u64,
    multiplier: u64,
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        let product = u128::from(self.state ^ n) * u128::from(self.multiplier);
        self.state = (product as u64) ^ (product >> 64) as u64;
    }

    fn finish(&self) -> u64 {
        self.state
    }
}
