//! The suite that every `WalMedium` passes.
