//! The front end as clients see it: a broker in memory behind a real connection task, and the codec as the client.

mod access;
mod admin;
mod api_table;
mod committed;
mod configs;
mod connection;
mod consumer_groups;
mod cost;
mod fetch;
mod fetch_sessions;
mod harness;
mod hostile;
mod login;
mod mechanisms;
mod memory;
mod metadata;
mod offsets;
mod produce;
mod quotas;
mod requests;
mod share;
mod share_groups;
mod telemetry;
mod tools;
mod transactions;
mod versions;
