//! Port: random bytes, for ids and nonces. The simulator's come from its seed.
//!
//! Owns: the door to the operating system's random numbers. Never: what they are used for.
//! **Invariant**: whatever two brokers draw differs, for all that matters.

/// Where random bytes come from.
pub trait Entropy: Send + Sync + 'static {
    /// Sixteen bytes that nobody drew before.
    fn draw(&self) -> [u8; 16];
}

/// The operating system's.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn draw(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the kernel has random bytes once it has booted");
        bytes
    }
}
