//! The tensor arena over time: which tensor lies where, and when.
//!
//! Places are those that the plan names, not those that the planner meant; lifetimes are those of the graph.

use std::collections::BTreeSet;

use kinglet::{Kernel, ModelError};
use kinglet_plan::check::Named;
use kinglet_plan::layout::{Frame, Places as _};
use kinglet_plan::{Plan, Region};
use kinglet_tflite::{Graph, Storage, Tensor};

use crate::output::shape;
use crate::survey;

/// Bytes of arena that are in use for some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) kind: BlockKind,
    /// A short name.
    pub(crate) name: String,
    /// Type and shape; empty for scratch memory.
    pub(crate) form: String,
    pub(crate) offset: u32,
    pub(crate) bytes: u32,
    /// Times: 0 is before the first operator, `i + 1` is operator `i`, the last is after the last one.
    pub(crate) first: u32,
    pub(crate) last: u32,
    /// The tensor whose bytes these are, left where they were: itself for most.
    root: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Input,
    Output,
    Activation,
    Scratch,
}

impl Block {
    #[cfg(test)]
    pub(crate) fn new(kind: BlockKind, name: &str, offset: u32, bytes: u32, times: (u32, u32)) -> Self {
        let (name, form) = (name.to_owned(), String::new());
        Self { kind, name, form, offset, bytes, first: times.0, last: times.1, root: 0 }
    }

    pub(crate) const fn end(&self) -> u32 {
        self.offset.saturating_add(self.bytes)
    }

    /// The times and bytes that two blocks share: `(first, last, offset, end)`.
    pub(crate) fn overlap(&self, other: &Self) -> Option<(u32, u32, u32, u32)> {
        let (first, last) = (self.first.max(other.first), self.last.min(other.last));
        let (offset, end) = (self.offset.max(other.offset), self.end().min(other.end()));
        (first <= last && offset < end).then_some((first, last, offset, end))
    }
}

/// Everything that lies in the arena.
#[derive(Debug)]
pub(crate) struct ArenaMap {
    /// Bytes of the arena.
    pub(crate) arena_bytes: u32,
    /// In the order in which they are written.
    pub(crate) blocks: Vec<Block>,
    /// The operators' names.
    pub(crate) ops: Vec<String>,
    /// Bytes alive at each time, as if no two tensors shared a byte.
    pub(crate) alive: Vec<u64>,
}

impl ArenaMap {
    /// Reads it from a plan that was made for `graph`.
    pub(crate) fn new(plan: &Plan<'_>, graph: &Graph<'_>) -> Result<Self, ModelError> {
        let end = graph.op_count() + 1;
        let places = Named::new(plan, graph);
        let mut blocks = Vec::new();
        for (tensor, lifetime) in lifetimes(plan, graph)? {
            let Some(place) = places
                .place(&Frame::default(), &tensor)
                .filter(|place| place.region() == Some(Region::Arena))
            else {
                continue;
            };
            if tensor.byte_len() == 0 {
                continue;
            }
            let is_in = |ids: kinglet_tflite::Indices<'_>| ids.iter().any(|id| id == Some(tensor.id));
            blocks.push(Block {
                kind: match () {
                    () if is_in(graph.inputs()) => BlockKind::Input,
                    () if is_in(graph.outputs()) => BlockKind::Output,
                    () => BlockKind::Activation,
                },
                name: short_name(&survey::text(tensor.name), tensor.id),
                form: format!("{} {}", tensor.dtype, shape(tensor.shape.dims())),
                offset: place.offset() as u32,
                bytes: tensor.byte_len(),
                first: lifetime.first,
                last: lifetime.last,
                root: lifetime.root,
            });
        }
        blocks.extend(scratch(plan, graph.op_count()));
        blocks.sort_by_key(|block| (block.first, block.offset, block.last));

        let mut alive = vec![0u64; end as usize + 1];
        let mut counted = BTreeSet::new();
        for block in &blocks {
            for time in block.first..=block.last {
                let is_first = block.kind == BlockKind::Scratch || counted.insert((time, block.root));
                if let Some(sum) = alive.get_mut(time as usize).filter(|_| is_first) {
                    *sum += u64::from(block.bytes);
                }
            }
        }
        Ok(Self {
            arena_bytes: plan.arena_bytes() as u32,
            blocks,
            ops: (0..graph.op_count()).map(|op| survey::op_name_at(graph, op)).collect(),
            alive,
        })
    }

    /// The least arena in which operators run one after the other, each on whole tensors, none of which
    /// shares a byte with another; and the first time that needs it.
    pub(crate) fn floor(&self) -> (u64, u32) {
        let most = self.alive.iter().copied().max().unwrap_or(0);
        let time = self.alive.iter().position(|&bytes| bytes == most).unwrap_or(0);
        (most, time as u32)
    }

    /// The last time: after the last operator.
    pub(crate) fn end(&self) -> u32 {
        self.ops.len() as u32 + 1
    }

    /// What happens at a time.
    pub(crate) fn time_name(&self, time: u32) -> String {
        match time.checked_sub(1) {
            None => "inputs".to_owned(),
            Some(op) => match self.ops.get(op as usize) {
                Some(name) => format!("{op} {name}"),
                None => "outputs".to_owned(),
            },
        }
    }
}

#[derive(Clone, Copy)]
struct Lifetime {
    first: u32,
    last: u32,
    root: u32,
}

/// When each activation is alive.
fn lifetimes<'a>(plan: &Plan<'_>, graph: &Graph<'a>) -> Result<Vec<(Tensor<'a>, Lifetime)>, ModelError> {
    let mut lives: Vec<Option<Lifetime>> = vec![None; graph.tensor_count() as usize];
    let write = |lives: &mut Vec<Option<Lifetime>>, id: u32, time: u32, root: u32| {
        if let Some(life) = lives.get_mut(id as usize) {
            life.get_or_insert(Lifetime { first: time, last: time, root });
        }
    };
    let read = |lives: &mut Vec<Option<Lifetime>>, id: u32, time: u32| {
        if let Some(Some(life)) = lives.get_mut(id as usize) {
            life.last = life.last.max(time);
        }
    };
    // These leave their input where it is, under another name.
    let mut nothing = BTreeSet::new();
    for step in plan.steps() {
        if Kernel::from_id(step.kernel) == Some(Kernel::Nothing) {
            nothing.insert(u32::from(step.op));
        }
    }
    for id in graph.inputs().iter().flatten() {
        write(&mut lives, id, 0, id);
    }
    for node in graph.nodes() {
        let node = node?;
        for id in node.inputs.iter().flatten() {
            read(&mut lives, id, node.index + 1);
        }
        let kept = node.inputs.get(0).filter(|_| nothing.contains(&node.index));
        let root = kept.and_then(|id| Some((*lives.get(id as usize)?)?.root));
        for id in node.outputs.iter().flatten() {
            write(&mut lives, id, node.index + 1, root.unwrap_or(id));
        }
    }
    for id in graph.outputs().iter().flatten() {
        read(&mut lives, id, graph.op_count() + 1);
    }
    let mut all = Vec::new();
    for (id, life) in (0..).zip(lives) {
        let Some(life) = life else { continue };
        let tensor = graph.tensor(id)?;
        if matches!(tensor.storage, Storage::Activation) {
            all.push((tensor, life));
        }
    }
    Ok(all)
}

/// The operators' scratch memory. What runs in another subgraph counts as the operator that calls it.
fn scratch(plan: &Plan<'_>, op_count: u32) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut op = 0;
    for step in plan.steps() {
        if u32::from(step.op) < op_count {
            op = u32::from(step.op);
        }
        let Some(span) = plan.footprint(&step).map(|footprint| footprint.scratch) else { continue };
        if span.len == 0 || span.place.region() != Some(Region::Arena) {
            continue;
        }
        let time = op + 1;
        let block = Block {
            kind: BlockKind::Scratch,
            name: "scratch".to_owned(),
            form: String::new(),
            offset: span.place.offset() as u32,
            bytes: u32::try_from(span.len).unwrap_or(u32::MAX),
            first: time,
            last: time,
            root: u32::MAX,
        };
        // Steps of one operator share it.
        if blocks.last() != Some(&block) {
            blocks.push(block);
        }
    }
    blocks
}

/// Converters join names with ";" and lead with the path of the layer: "a/b/Relu;c/d" is "b/Relu" for people.
fn short_name(name: &str, id: u32) -> String {
    let first = name.split(';').next().unwrap_or(name).trim_end_matches('/');
    let mut parts: Vec<&str> = first.rsplit('/').take(2).collect();
    parts.reverse();
    let short = parts.join("/");
    if short.is_empty() { format!("tensor {id}") } else { short }
}
