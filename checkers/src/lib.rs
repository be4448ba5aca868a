//! placeholder
pub mod properties;
