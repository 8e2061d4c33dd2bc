//! A bounded cache with single flight and brief memory of what does not exist.
//!
//! A hit is one sharded-map lookup and one `Arc` clone: no HTTP, no parsing, no lock that a fetch
//! could hold. A miss puts a *flight* in the entry: whoever came first is its leader and fetches,
//! and whoever comes while it is under way waits for the result instead of asking again. The map's
//! own locks are held only to read or swap an entry, never while fetching.
//!
//! Eviction is first in, first out with a second chance for what was used since: a hit costs one
//! relaxed store at most, where an LRU list would cost a lock.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as MapEntry;

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
    entries: DashMap<K, Entry<V>, S>,
    /// Keys in the order in which their entries were filled. Its length bounds the number of filled
    /// entries.
    filled: Mutex<VecDeque<K>>,
    capacity: usize,
    lifetimes: Lifetimes,
}

enum Entry<V> {
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
    Done(Result<Arc<V>, Error>),
    /// The thread that was fetching panicked.
    Abandoned,
}

/// What somebody who asks for a key has to do.
enum Role<V> {
    Done(Result<Arc<V>, Error>),
    /// Fetch it.
    Leader(Arc<Flight<V>>),
    /// Wait for whoever fetches it.
    Waiter(Arc<Flight<V>>),
}

impl<K: Hash + Eq + Clone, V, S: BuildHasher + Clone + Default> Cache<K, V, S> {
    pub(crate) fn new(capacity: usize, lifetimes: Lifetimes) -> Self {
        Self {
            entries: DashMap::with_hasher(S::default()),
            filled: Mutex::new(VecDeque::new()),
            capacity: capacity.max(1),
            lifetimes,
        }
    }

    /// The value, if it is there and fresh.
    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<Arc<V>> {
        match &*self.entries.get(key)? {
            Entry::Value { value, expires, used } if is_fresh(*expires) => {
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
            match self.role(key) {
                Role::Done(outcome) => return outcome,
                Role::Leader(flight) => break flight,
                Role::Waiter(flight) => {
                    if let Some(outcome) = flight.wait(deadline) {
                        return outcome;
                    }
                }
            }
        };
        let mut leader = Leader {
            cache: self,
            key,
            flight,
            outcome: None,
        };
        let outcome = fetch().map(Arc::new);
        leader.outcome = Some(outcome.clone());
        drop(leader);
        outcome
    }

    /// Looks again, now with the entry locked, and makes a flight of it where it is empty or stale.
    fn role(&self, key: &K) -> Role<V> {
        let mut entry = match self.entries.entry(key.clone()) {
            MapEntry::Occupied(entry) => entry,
            MapEntry::Vacant(entry) => {
                let flight = Arc::new(Flight::new());
                entry.insert(Entry::Flight(Arc::clone(&flight)));
                return Role::Leader(flight);
            }
        };
        match entry.get() {
            Entry::Value { value, expires, .. } if is_fresh(*expires) => {
                return Role::Done(Ok(Arc::clone(value)));
            }
            Entry::Absent { error, expires } if is_fresh(*expires) => {
                return Role::Done(Err(error.clone()));
            }
            Entry::Flight(flight) => return Role::Waiter(Arc::clone(flight)),
            Entry::Value { .. } | Entry::Absent { .. } => {}
        }
        let flight = Arc::new(Flight::new());
        entry.insert(Entry::Flight(Arc::clone(&flight)));
        Role::Leader(flight)
    }

    /// Forgets one key, were it absent or not.
    pub(crate) fn forget(&self, key: &K) {
        self.entries
            .remove_if(key, |_, entry| !matches!(entry, Entry::Flight(_)));
    }

    /// Forgets the keys that `doomed` names. Flights go on.
    pub(crate) fn forget_where(&self, doomed: impl Fn(&K) -> bool) {
        self.entries
            .retain(|key, entry| matches!(entry, Entry::Flight(_)) || !doomed(key));
    }

    /// Replaces the flight by its outcome, and makes room.
    fn settle(&self, key: &K, outcome: &Result<Arc<V>, Error>) {
        let expires = |after: Option<Duration>| after.and_then(|after| Instant::now().checked_add(after));
        let entry = match outcome {
            Ok(value) => Entry::Value {
                value: Arc::clone(value),
                expires: expires(self.lifetimes.value),
                used: AtomicBool::new(false),
            },
            Err(error) if error.is_absence() && !self.lifetimes.absence.is_zero() => Entry::Absent {
                error: error.clone(),
                expires: expires(Some(self.lifetimes.absence)),
            },
            Err(_) => {
                self.entries.remove(key);
                return;
            }
        };
        self.entries.insert(key.clone(), entry);
        let mut filled = lock(&self.filled);
        filled.push_back(key.clone());
        // Ends: each turn either shortens the queue or takes one `used` mark away, and new marks
        // are bounded below.
        let mut chances = filled.len();
        while filled.len() > self.capacity {
            let Some(oldest) = filled.pop_front() else { break };
            let spared = chances > 0 && self.entries.get(&oldest).is_some_and(|entry| entry.take_mark());
            chances = chances.saturating_sub(1);
            if spared {
                filled.push_back(oldest);
            } else {
                self.forget(&oldest);
            }
        }
    }
}

impl<V> Entry<V> {
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

    /// The outcome; `None` where its leader gave it up, and somebody else has to fetch.
    fn wait(&self, deadline: Deadline) -> Option<Result<Arc<V>, Error>> {
        let mut state = lock(&self.state);
        loop {
            match &*state {
                State::Done(outcome) => return Some(outcome.clone()),
                State::Abandoned => return None,
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

/// The thread that fetches. Dropped, it ends the flight, even where fetching panics.
struct Leader<'a, K: Hash + Eq + Clone, V, S: BuildHasher + Clone + Default> {
    cache: &'a Cache<K, V, S>,
    key: &'a K,
    flight: Arc<Flight<V>>,
    outcome: Option<Result<Arc<V>, Error>>,
}

impl<K: Hash + Eq + Clone, V, S: BuildHasher + Clone + Default> Drop for Leader<'_, K, V, S> {
    fn drop(&mut self) {
        // The entry first: who hears that the flight was given up must not find it there again.
        let state = match self.outcome.take() {
            Some(outcome) => {
                self.cache.settle(self.key, &outcome);
                State::Done(outcome)
            }
            None => {
                self.cache.entries.remove(self.key);
                State::Abandoned
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

/// Hashes schema ids with one folded multiplication: which costs a hit far less than the default
/// SipHash.
///
/// Ids come from messages, which anybody may write, so the multiplier is random; the cache's
/// capacity bounds what a collision can cost anyway.
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
