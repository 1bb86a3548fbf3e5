//! What the Rust hands share: fields of commands, bytes in base64, one line per answer (../../hand.ts).
use std::collections::HashMap;
use std::io::{stdout, Write};

use base64::{engine::general_purpose::STANDARD, Engine};
use serde_json::Value;

/// A reason, and the keys of `cannot` that it is for.
pub type Cannot = (&'static str, &'static [&'static str]);

pub fn said_of(cannot: &[Cannot]) -> HashMap<&'static str, &'static str> {
    cannot.iter().flat_map(|(why, keys)| keys.iter().map(move |key| (*key, *why))).collect()
}

pub fn text<'a>(ask: &'a Value, field: &str) -> &'a str {
    ask[field].as_str().unwrap_or_default()
}

pub fn number(ask: &Value, field: &str) -> i64 {
    ask[field].as_i64().unwrap_or_default()
}

pub fn packed(held: Option<&[u8]>) -> Value {
    held.map_or(Value::Null, |bytes| Value::String(STANDARD.encode(bytes)))
}

pub fn unpacked_bytes(held: &Value) -> Result<Option<Vec<u8>>, String> {
    held.as_str().map(|text| STANDARD.decode(text)).transpose().map_err(|problem| problem.to_string())
}

pub fn say(answer: Value) {
    let mut out = stdout().lock();
    // Who cannot be heard any more has nothing left to do.
    if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}
