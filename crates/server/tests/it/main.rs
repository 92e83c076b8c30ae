//! The binary as a user meets it: started, asked over HTTP and by its own command line, stopped, killed.

mod commands;
mod jwks;
mod lifecycle;
mod process;
mod quotas;
mod secrets;
mod security;
mod signer;
mod tls;
mod wire;
