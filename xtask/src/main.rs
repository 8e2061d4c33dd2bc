//! Sabot's own chores.
fn main() {}
