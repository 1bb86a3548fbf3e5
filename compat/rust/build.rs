// Tells the hand what it was built from: the versions that Cargo.lock pins, and the compiler.
use std::{env, fs, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=Cargo.lock");
    let lock = fs::read_to_string("Cargo.lock").expect("Cargo.lock is beside Cargo.toml");
    for name in ["rskafka", "rdkafka"] {
        let version = lock
            .split("[[package]]")
            .find(|package| package.contains(&format!("name = \"{name}\"")))
            .and_then(|package| package.split("version = \"").nth(1)?.split('"').next())
            .unwrap_or_else(|| panic!("Cargo.lock names {name}"));
        println!("cargo:rustc-env={}_VERSION={version}", name.to_uppercase());
    }
    let told = Command::new(env::var("RUSTC").unwrap()).arg("--version").output().expect("rustc tells its version");
    let words = String::from_utf8_lossy(&told.stdout).into_owned();
    println!("cargo:rustc-env=RUST_VERSION=rustc {}", words.split(' ').nth(1).unwrap_or("?"));
}
