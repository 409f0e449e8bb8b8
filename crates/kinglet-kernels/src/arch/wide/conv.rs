//! Convolution, pointwise included: blocks of input rows are padded and made ready in a buffer, where each
//! filter sees runs of contiguous bytes; a tile of output pixels and channels stays in registers.

use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ops::Range;

use crate::arch::wide::layers::{BUFFER, MAX_RUNS, Runs, SLACK};
use crate::arch::wide::pack::{Column, FLAG_BYTES, Shape};
use crate::arch::wide::vector::Vector;
use crate::ops::conv_2d::Conv2dParams;
use crate::ops::rows::{Rows, batch_and_row, product};
use crate::{Call, Fault};

/// Output pixels in a block.
const MAX_PIXELS: usize = 192;

/// The block of input, from a multiple of 64 on.
#[repr(align(64))]
pub(crate) struct Buffer([MaybeUninit<u8>; BUFFER + SLACK]);

impl Buffer {
    #[inline(always)]
    pub(crate) fn new() -> Self {
        Self([const { MaybeUninit::uninit() }; BUFFER + SLACK])
    }

    #[inline(always)]
    pub(crate) fn start(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// An output pixel of a block: where its first tap lies in the buffer, and where it goes.
#[derive(Clone, Copy)]
struct Pixel {
    input: u32,
    output: *mut i8,
}

/// A packed layer, and what its groups share.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'p> {
    pub(crate) bytes: &'p [u8],
    pub(crate) shape: Shape,
    pub(crate) channels: usize,
    pub(crate) steps: usize,
    pub(crate) min: i8,
    pub(crate) max: i8,
}

impl<'p> Packed<'p> {
    /// The groups, from the first channel on.
    pub(crate) fn groups(&self) -> Groups<'p> {
        let columns = self.channels.div_ceil(self.shape.lanes);
        Groups { rest: self.bytes, shape: self.shape, steps: self.steps, column: 0, columns }
    }
}

/// The groups of a packed layer: first channel, number of columns, and bytes.
pub(crate) struct Groups<'p> {
    rest: &'p [u8],
    shape: Shape,
    steps: usize,
    column: usize,
    columns: usize,
}

impl<'p> Iterator for Groups<'p> {
    type Item = (usize, usize, &'p [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.column >= self.columns {
            return None;
        }
        let n = Shape::columns_at(self.column, self.columns);
        let (group, rest) = self.rest.split_at_checked(self.shape.group_bytes(n, self.steps))?;
        let first = self.column.wrapping_mul(self.shape.lanes);
        self.column = self.column.wrapping_add(n);
        self.rest = rest;
        Some((first, n, group))
    }
}

/// Rows of input with padding around.
pub(crate) struct Padded<'a> {
    pub(crate) rows: Rows<'a>,
    /// First row of the batch.
    pub(crate) first_row: u32,
    pub(crate) height: isize,
    pub(crate) width: isize,
    pub(crate) depth: usize,
    pub(crate) zero_point: i8,
}

impl Padded<'_> {
    /// Writes pixels `x..x + width` of row `y` at `to`, ready, padding where there are none.
    ///
    /// # Safety
    /// `width * depth` activations can be written.
    #[inline(always)]
    pub(crate) unsafe fn load<V: Vector>(
        &self,
        y: isize,
        x: isize,
        width: usize,
        to: *mut u8,
    ) -> Result<(), Fault> {
        let size = 4 / V::GROUP;
        let count = width.wrapping_mul(self.depth);
        if y < 0 || y >= self.height {
            // SAFETY: as the caller promises.
            unsafe { V::fill(to, self.zero_point, count) };
            return Ok(());
        }
        let row = self.rows.row(self.first_row.wrapping_add(y as u32))?;
        let end = x.saturating_add_unsigned(width);
        let left = (x.saturating_neg().max(0) as usize).min(width);
        let right = (end.saturating_sub(self.width).max(0) as usize).min(width - left);
        let inside = width - left - right;
        let first = if inside == 0 { 0 } else { (x.max(0) as usize).wrapping_mul(self.depth) };
        let len = inside.wrapping_mul(self.depth);
        let cells = row.get(first..first.wrapping_add(len)).ok_or(Fault::OutOfBounds)?;
        let left = left.wrapping_mul(self.depth);
        // SAFETY: the three parts make up `count` activations; the input is `cells`.
        unsafe {
            V::fill(to, self.zero_point, left);
            V::convert(to.add(left * size), cells.as_ptr().cast(), len);
            V::fill(to.add((left + len) * size), self.zero_point, right.wrapping_mul(self.depth));
        }
        Ok(())
    }
}

impl Padded<'_> {
    /// As [`load`](Self::load), for every `step`-th pixel from `x` on.
    ///
    /// # Safety
    /// `count * depth` activations can be written.
    #[inline(always)]
    pub(crate) unsafe fn load_every<V: Vector>(
        &self,
        y: isize,
        x: isize,
        step: usize,
        count: usize,
        to: *mut u8,
    ) -> Result<(), Fault> {
        let pixel = self.depth * (4 / V::GROUP);
        if y < 0 || y >= self.height {
            // SAFETY: as the caller promises.
            unsafe { V::fill(to, self.zero_point, count * self.depth) };
            return Ok(());
        }
        let row = self.rows.row(self.first_row.wrapping_add(y as u32))?;
        // The first pixel that is inside, and the first behind that is not.
        let first = x.saturating_neg().max(0).unsigned_abs().div_ceil(step).min(count);
        let inside = self.width.saturating_sub(x).max(0).unsigned_abs().div_ceil(step).clamp(first, count);
        let start = x.saturating_add_unsigned(first * step).max(0).unsigned_abs() * self.depth;
        let len = inside.saturating_sub(first + 1) * step * self.depth + self.depth;
        let cells = if inside > first { row.get(start..).and_then(|row| row.get(..len)) } else { Some(row) };
        let from = cells.ok_or(Fault::OutOfBounds)?.as_ptr().cast::<i8>();
        // SAFETY: the three parts make up `count` pixels; those inside are `cells`.
        unsafe {
            V::fill(to, self.zero_point, first * self.depth);
            for i in first..inside {
                V::convert(to.add(i * pixel), from.add((i - first) * step * self.depth), self.depth);
            }
            V::fill(to.add(inside * pixel), self.zero_point, (count - inside) * self.depth);
        }
        Ok(())
    }
}

/// Runs a convolution with packed weights.
///
/// # Safety
/// The machine has the instruction set of `V`.
#[inline(always)]
pub(crate) unsafe fn conv_2d<'c, V: Vector>(
    call: &Call<'c>,
    p: &Conv2dParams,
    shape: Shape,
) -> Result<(), Fault> {
    let size = 4 / V::GROUP;
    let [zero_point, _, min, max] = p.quant;
    let depth = product([p.input_depth])?.max(1);
    let channels = product([p.output_depth])?.max(1);
    let runs = Runs::new(p, shape.group).ok_or(Fault::BadPlan)?;
    let steps = runs.count * runs.steps;
    let len = shape.layer_bytes(channels, steps).ok_or(Fault::BadPlan)?;
    let packed = Packed { bytes: call.constant(p.weights, len)?, shape, channels, steps, min, max };
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;

    let mut blocks = RowBlocks::new(call, p.output_size.0);
    let (mut buffer, mut pixels) = (Buffer::new(), [const { MaybeUninit::<Pixel>::uninit() }; MAX_PIXELS]);
    let buffer = buffer.start();
    let pixels = pixels.as_mut_slice();

    if p.kernel == (1, 1) && p.stride == (1, 1) && p.pad == (0, 0) && p.input_size == p.output_size {
        let width = usize::from(p.output_size.1);
        let rows = blocks.high - blocks.low;
        let len = |depth: usize| width.checked_mul(depth)?.checked_mul(rows as usize);
        let (from, to) = (input.run(blocks.low, rows), output.run(blocks.low, rows));
        let from = from.filter(|cells| Some(cells.len()) == len(depth));
        let to = to.filter(|cells| Some(cells.len()) == len(channels));
        if let (Some(from), Some(to)) = (from, to) {
            let block = (BUFFER / (depth * size)).min(MAX_PIXELS);
            if block == 0 {
                return Err(Fault::BadPlan);
            }
            let count = (to.len() / channels).div_ceil(block);
            for i in 0..count {
                let i = if blocks.backwards { count - 1 - i } else { i };
                let piece = |cells: &'c [Cell<i8>], size: usize| {
                    cells
                        .get(i * block * size..((i + 1) * block * size).min(cells.len()))
                        .ok_or(Fault::OutOfBounds)
                };
                let (from, to) = (piece(from, depth)?, piece(to, channels)?);
                // SAFETY: a block fits the buffer.
                unsafe {
                    V::convert(buffer, from.as_ptr().cast(), from.len());
                    buffer.add(from.len() * size).write_bytes(0, SLACK);
                }
                let mut count = 0;
                for (i, (pixel, to)) in pixels.iter_mut().zip(to.chunks_exact(channels)).enumerate() {
                    pixel.write(Pixel { input: (i * depth * size) as u32, output: start(to) });
                    count += 1;
                }
                // SAFETY: the pixels were written; each has `depth` activations and `channels` outputs.
                unsafe { run_groups::<V>(&packed, &[0], runs.steps, buffer, initialized(pixels, count)) };
            }
            return Ok(());
        }
    }

    let (kernel, stride) = (pair(p.kernel), pair(p.stride));
    let (dilation, pad) = (pair(p.dilation), pair(p.pad));
    let out_width = usize::from(p.output_size.1);
    // A window, from its first tap to its last.
    let reach = ((kernel.0 - 1) * dilation.0 + 1, (kernel.1 - 1) * dilation.1 + 1);
    let row_of = |columns: usize| ((columns - 1) * stride.1 + reach.1) * depth * size;
    let mut columns = out_width.clamp(1, MAX_PIXELS);
    while columns > 1 && row_of(columns).saturating_mul(reach.0) > BUFFER {
        columns = columns.div_ceil(2);
    }
    let row_bytes = row_of(columns);
    let fit = BUFFER.checked_div(row_bytes).unwrap_or(0);
    if fit < reach.0 || stride.0 == 0 {
        return Err(Fault::BadPlan);
    }
    let block_rows = ((fit - reach.0) / stride.0 + 1).min((MAX_PIXELS / columns).max(1));
    let mut offsets = [0u32; MAX_RUNS];
    let offsets = runs.offsets(&mut offsets, row_bytes, depth * size, dilation);

    // A row in pieces is written before all of it has been read: see `RowBlocks`.
    blocks.most = if columns < out_width { 1 } else { block_rows };
    while let Some(RowBlock { y, batch, first, rows }) = blocks.next()? {
        let padded = Padded {
            rows: input,
            first_row: batch.wrapping_mul(p.input_size.0.into()),
            height: p.input_size.0.into_signed(),
            width: p.input_size.1.into_signed(),
            depth,
            zero_point,
        };
        let first_y = (first * stride.0) as isize - pad.0 as isize;
        for from in (0..out_width).step_by(columns) {
            let to = (from + columns).min(out_width);
            let width = (to - from - 1) * stride.1 + reach.1;
            let first_x = (from * stride.1) as isize - pad.1 as isize;
            for row in 0..(rows - 1) * stride.0 + reach.0 {
                // SAFETY: `block_rows` rows of windows, each `columns` wide, fit the buffer.
                unsafe {
                    let to = buffer.add(row * row_bytes);
                    // With strides beyond the window, some rows are under none; only what is read beyond the
                    // row before matters.
                    if reach.0 < stride.0 && row % stride.0 >= reach.0 {
                        to.write_bytes(0, row_bytes.min(SLACK));
                    } else {
                        padded.load::<V>(first_y + row as isize, first_x, width, to)?;
                    }
                }
            }
            // SAFETY: as above; behind the rows there is slack.
            unsafe { buffer.add(((rows - 1) * stride.0 + reach.0) * row_bytes).write_bytes(0, SLACK) };
            let mut count = 0;
            for row in 0..rows {
                let cells = output.row(y.wrapping_add(row as u32))?;
                let cells = cells.get(from * channels..to * channels).ok_or(Fault::OutOfBounds)?;
                for (x, cells) in cells.chunks_exact(channels).enumerate() {
                    let input = row * stride.0 * row_bytes + x * stride.1 * depth * size;
                    if let Some(pixel) = pixels.get_mut(count) {
                        pixel.write(Pixel { input: input as u32, output: start(cells) });
                        count += 1;
                    }
                }
            }
            // SAFETY: the pixels were written; the runs of each lie in the buffer, but for the last bytes of a
            // step, which may lie in its slack; each has `channels` outputs.
            unsafe { run_groups::<V>(&packed, offsets, runs.steps, buffer, initialized(pixels, count)) };
        }
    }
    Ok(())
}

/// Output rows in blocks, from either end.
///
/// All that a block needs is read before it is written, so where input and output lie as far apart as kernels
/// need that work row by row, blocks of rows will do, too.
pub(crate) struct RowBlocks {
    low: u32,
    high: u32,
    backwards: bool,
    /// Rows of an image.
    height: u16,
    /// The most rows in a block.
    pub(crate) most: usize,
}

/// Some rows of one image.
pub(crate) struct RowBlock {
    /// The first, counted through all batches.
    pub(crate) y: u32,
    pub(crate) batch: u32,
    /// The first, in its image.
    pub(crate) first: usize,
    pub(crate) rows: usize,
}

impl RowBlocks {
    pub(crate) fn new(call: &Call<'_>, height: u16) -> Self {
        let Range { start, end } = call.rows;
        Self { low: start.min(end), high: start.max(end), backwards: start > end, height, most: 1 }
    }

    /// The next block; `None` behind the last.
    pub(crate) fn next(&mut self) -> Result<Option<RowBlock>, Fault> {
        let left = (self.high - self.low) as usize;
        if left == 0 {
            return Ok(None);
        }
        let block = if self.backwards {
            let (batch, last) = batch_and_row(self.high - 1, self.height)?;
            let rows = self.most.clamp(1, last + 1).min(left);
            self.high -= rows as u32;
            RowBlock { y: self.high, batch, first: last + 1 - rows, rows }
        } else {
            let (batch, first) = batch_and_row(self.low, self.height)?;
            let rows = self.most.clamp(1, usize::from(self.height) - first).min(left);
            let y = self.low;
            self.low += rows as u32;
            RowBlock { y, batch, first, rows }
        };
        Ok(Some(block))
    }
}

pub(crate) fn pair((a, b): (u16, u16)) -> (usize, usize) {
    (a.into(), b.into())
}

trait IntoSigned {
    fn into_signed(self) -> isize;
}

impl IntoSigned for u16 {
    fn into_signed(self) -> isize {
        self as isize
    }
}

/// Where cells start, to write through.
pub(crate) fn start(cells: &[Cell<i8>]) -> *mut i8 {
    cells.as_ptr().cast_mut().cast()
}

/// The first `count`.
///
/// # Safety
/// They were written.
unsafe fn initialized(pixels: &[MaybeUninit<Pixel>], count: usize) -> &[Pixel] {
    let pixels = pixels.get(..count).unwrap_or_default();
    // SAFETY: as the caller promises; `MaybeUninit` has the layout of what is in it.
    unsafe { core::slice::from_raw_parts(pixels.as_ptr().cast(), pixels.len()) }
}

/// All channels of a block of pixels.
///
/// # Safety
/// From each pixel's place in the buffer, all runs can be read; `channels` outputs can be written.
#[inline(always)]
unsafe fn run_groups<V: Vector>(
    packed: &Packed<'_>,
    runs: &[u32],
    run_steps: usize,
    buffer: *const u8,
    pixels: &[Pixel],
) {
    for (first, columns, group) in packed.groups() {
        let tiles = Tiles {
            group: group.as_ptr(),
            first,
            len: (columns * V::LANES).min(packed.channels - first),
            runs,
            run_steps,
            buffer,
            range: packed.min..packed.max,
        };
        // SAFETY: as the caller promises; the group has constants of all columns and weights of all steps.
        unsafe {
            match columns {
                4 => tiles.run::<V, 4>(pixels),
                2 => tiles.run::<V, 2>(pixels),
                _ => tiles.run::<V, 1>(pixels),
            }
        }
    }
}

/// The tiles of one group.
struct Tiles<'t> {
    group: *const u8,
    /// First channel.
    first: usize,
    /// Channels.
    len: usize,
    runs: &'t [u32],
    run_steps: usize,
    buffer: *const u8,
    /// Least and greatest output (not the one behind).
    range: Range<i8>,
}

impl Tiles<'_> {
    /// # Safety
    /// See [`run_groups`].
    #[inline(always)]
    unsafe fn run<V: Vector, const C: usize>(&self, pixels: &[Pixel]) {
        let mut rest = pixels;
        // SAFETY: as the caller promises.
        unsafe {
            if C < 4 && V::LANES == 16 {
                while let Some((tile, next)) = rest.split_first_chunk::<12>() {
                    self.tile::<V, C, 12>(tile);
                    rest = next;
                }
            }
            if C == 4 && V::LANES == 8 {
                while let Some((tile, next)) = rest.split_first_chunk::<2>() {
                    self.tile::<V, C, 2>(tile);
                    rest = next;
                }
                if let Some((tile, _)) = rest.split_first_chunk::<1>() {
                    self.tile::<V, C, 1>(tile);
                }
                return;
            }
            while let Some((tile, next)) = rest.split_first_chunk::<6>() {
                self.tile::<V, C, 6>(tile);
                rest = next;
            }
            if let Some((tile, next)) = rest.split_first_chunk::<4>() {
                self.tile::<V, C, 4>(tile);
                rest = next;
            }
            match *rest {
                [a, b, c] => self.tile::<V, C, 3>(&[a, b, c]),
                [a, b] => self.tile::<V, C, 2>(&[a, b]),
                [a] => self.tile::<V, C, 1>(&[a]),
                _ => {}
            }
        }
    }

    /// # Safety
    /// See [`run_groups`].
    #[inline(always)]
    unsafe fn tile<V: Vector, const C: usize, const R: usize>(&self, pixels: &[Pixel; R]) {
        let vector = V::LANES * 4;
        let column = vector * Column::VECTORS;
        // SAFETY: the group has constants of `C` columns and weights of all steps behind its flag; the rest as
        // the caller promises.
        unsafe {
            let constants = self.group.add(FLAG_BYTES);
            let mut weights = constants.add(C * column);
            let mut from = [self.buffer; R];
            for r in 0..R {
                from[r] = self.buffer.add(pixels[r].input as usize);
            }
            let bias = vectors::<V, C>(constants.add(Column::BIAS * vector), column);
            let mut sums = [bias; R];
            for &run in self.runs {
                let mut at = run as usize;
                let end = at + 4 * self.run_steps;
                while at < end {
                    let step = vectors::<V, C>(weights, vector);
                    for r in 0..R {
                        let x = V::splat(from[r].add(at));
                        for c in 0..C {
                            sums[r][c] = sums[r][c].dot(x, step[c]);
                        }
                    }
                    weights = weights.add(C * vector);
                    at += 4;
                }
            }
            // In memory of their own, so that the loop above keeps its sums in registers.
            let mut finished = MaybeUninit::<[[V; C]; R]>::uninit();
            let finished = core::hint::black_box(finished.as_mut_ptr());
            for r in 0..R {
                for c in 0..C {
                    (&raw mut (*finished)[r][c]).write(sums[r][c]);
                }
            }
            let sums = &mut *finished;
            if *self.group != 0 {
                for c in 0..C {
                    let factors = V::factors(constants.add(c * column));
                    for r in 0..R {
                        sums[r][c] = sums[r][c].rescale(&factors);
                    }
                }
            } else {
                for c in 0..C {
                    for r in 0..R {
                        sums[r][c] = sums[r][c].rescale_any(constants.add(c * column));
                    }
                }
            }
            for r in 0..R {
                let to = pixels[r].output.add(self.first);
                V::store(sums[r], to, self.len, self.range.start, self.range.end);
            }
        }
    }
}

/// `C` vectors, `step` bytes apart.
///
/// # Safety
/// They can be read.
#[inline(always)]
pub(crate) unsafe fn vectors<V: Vector, const C: usize>(from: *const u8, step: usize) -> [V; C] {
    let mut vectors = [V::zero(); C];
    for (c, vector) in vectors.iter_mut().enumerate() {
        // SAFETY: as the caller promises.
        *vector = unsafe { V::load(from.add(c * step)) };
    }
    vectors
}
