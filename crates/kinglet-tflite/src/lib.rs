#![no_std]

mod flatbuf;
#[rustfmt::skip]
mod generated;
