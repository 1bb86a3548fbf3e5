// Tells the hand what it was built from: the version that Cargo.lock pins, and the compiler.
use std::{env, fs, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let lock = fs::read_to_string("Cargo.lock").expect("Cargo.lock is beside Cargo.toml");
    let version = lock
        .split("[[package]]")
        .find(|package| package.contains("name = \"rskafka\""))
        .and_then(|package| package.split("version = \"").nth(1)?.split('"').next())
        .expect("Cargo.lock names rskafka");
    println!("cargo:rustc-env=RSKAFKA_VERSION={version}");
    let told = Command::new(env::var("RUSTC").unwrap()).arg("--version").output().expect("rustc tells its version");
    let words = String::from_utf8_lossy(&told.stdout).into_owned();
    println!("cargo:rustc-env=RUST_VERSION=rustc {}", words.split(' ').nth(1).unwrap_or("?"));
}
