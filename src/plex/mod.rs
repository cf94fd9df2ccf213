//! HTTP to Plex, always as the same device.

#![cfg_attr(not(test), expect(dead_code, reason = "the way to Plex isn't built yet"))]

mod body;
mod charset;
mod json;
mod pages;
mod xml;
