//! What was acknowledged outlives the process that said so, and the power.
//!
//! A test binary of its own, because it is run again as the process that is killed.

#[cfg(feature = "compiler")]
#[path = "kernel/audit.rs"]
mod audit;
#[cfg(feature = "compiler")]
#[path = "kernel/crowd.rs"]
mod crowd;
#[path = "crash/forgetful.rs"]
mod forgetful;
#[cfg(feature = "compiler")]
#[path = "crash/keeper.rs"]
mod keeper;
#[path = "crash/kill.rs"]
mod kill;
#[path = "crash/life.rs"]
mod life;
#[path = "crash/power.rs"]
mod power;
#[path = "kernel/room.rs"]
mod room;

/// Chance that is the same every time.
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    /// One of many: others for each number, and `PDL_SEED` asks for others altogether.
    pub fn of(number: u64) -> Chance {
        let seed = std::env::var("PDL_SEED").ok().and_then(|seed| seed.parse::<u64>().ok()).unwrap_or(0);
        Chance(seed.wrapping_mul(1_000_003).wrapping_add(number))
    }

    /// A number from 0 to one below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        // Steele, Lea & Flood, "Fast Splittable Pseudorandom Number Generators": SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}
