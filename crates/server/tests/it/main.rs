//! The binary as a user meets it: started, asked over HTTP and by its own command line, stopped, killed.

mod commands;
mod lifecycle;
mod process;
mod security;
