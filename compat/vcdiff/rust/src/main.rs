// The peers that are vcdiff-decoder, and open-vcdiff behind the crate vcdiff (see ../../README.md).
use std::fs::{read, File};
use std::io::{BufWriter, Cursor, Write};

fn next<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let (length, rest) = bytes.split_at(4);
    let (value, rest) = rest.split_at(u32::from_be_bytes(length.try_into().unwrap()) as usize);
    *bytes = rest;
    value
}

fn decode(decoder: &str, source: &[u8], delta: &[u8]) -> Result<Vec<u8>, String> {
    if decoder == "open-vcdiff" {
        return Ok(vcdiff::decode(source, delta));
    }
    let mut made = Vec::new();
    let mut from = Cursor::new(source.to_vec());
    vcdiff_decoder::apply_patch(&mut Cursor::new(delta.to_vec()), Some(&mut from), &mut made)
        .map_err(|problem| problem.to_string())?;
    Ok(made)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let file = read(&args[2]).unwrap();
    let mut theirs = args.get(3).map(|path| BufWriter::new(File::create(path).unwrap()));
    let mut bytes = &file[..];
    let mut right = 0;
    let mut i = 0;
    while !bytes.is_empty() {
        let (source, target, delta) = (next(&mut bytes), next(&mut bytes), next(&mut bytes));
        // vcdiff-decoder panics where it does not understand.
        match std::panic::catch_unwind(|| decode(&args[1], source, delta)) {
            Ok(Ok(made)) if made == target => right += 1,
            Ok(Ok(_)) => println!("wrong {i} other bytes"),
            Ok(Err(problem)) => println!("wrong {i} {problem}"),
            Err(_) => println!("wrong {i} panic"),
        }
        if let Some(out) = &mut theirs {
            let made = vcdiff::encode(source, target, vcdiff::FORMAT_STANDARD, true);
            out.write_all(&(made.len() as u32).to_be_bytes()).unwrap();
            out.write_all(&made).unwrap();
        }
        i += 1;
    }
    println!("right {right}");
}
