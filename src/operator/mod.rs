//! The controllers: observe, plan, act.
//!
//! [`runtime`] is shared by all kinds; each kind has a folder with what it reads (`observe`), what it decides (`plan`,
//! pure) and what it does (`act`, without decisions). [`secret`] renders and publishes Secrets; [`words`] and
//! [`limits`] are what messages and specs of several kinds have in common.

pub mod account;
pub mod bucket;
pub mod key;
pub mod limits;
pub mod runtime;
pub mod secret;
pub mod tenant;
pub mod user;
pub mod words;
