//! The strip of a volume: its blocks as rows of cells.

use std::fmt::Write as _;

use super::{CellState, MapRun, MapVolume, STATES, TEXT_MAX_CHARS, VolumeRole};
use crate::volumes::media::markup::html_text;

const CELLS_A_ROW: u32 = 100;
/// Side of a cell in the drawing's units.
const SIDE: u32 = 10;

/// Draws a volume as rows of cells. Adjacent cells in the same state are one shape, which names its blocks under the
/// pointer.
pub(super) fn strip(out: &mut String, volume: &MapVolume, cells_max: u32) {
    let (role_zh, role_en) = match volume.role {
        VolumeRole::Data => ("数据卷", "data"),
        VolumeRole::Spare => ("备用卷", "spare"),
    };
    let no = volume.volume_no;
    let label = html_text(&volume.label, TEXT_MAX_CHARS);
    let (cells, blocks_a_cell) = cells_of(&volume.runs, cells_max);
    let _ = write!(
        out,
        "<div class=\"volume\">\n<h2>第 {no} 卷 · <span lang=\"en\">Volume {no}</span> \
         <small>{role_zh} · <span lang=\"en\">{role_en}</span>{dot}{label} · \
         每格 {blocks_a_cell} 块 · <span lang=\"en\">blocks a cell: {blocks_a_cell}</span></small></h2>\n",
        dot = if label.is_empty() { "" } else { " · " },
    );
    let cell_count = u32::try_from(cells.len()).expect("cells are bounded");
    let (width, rows) = (CELLS_A_ROW * SIDE, cell_count.div_ceil(CELLS_A_ROW));
    let height = rows * SIDE;
    let _ = writeln!(
        out,
        "<svg class=\"strip\" viewBox=\"0 0 {width} {height}\" role=\"img\">"
    );
    let volume_blocks: u64 = volume.runs.iter().map(|run| u64::from(run.blocks)).sum();
    for row in cells.chunks(CELLS_A_ROW as usize).zip(0_u32..) {
        strip_row(out, row.0, row.1, blocks_a_cell, volume_blocks);
    }
    let _ = writeln!(
        out,
        "<rect width=\"{width}\" height=\"{height}\" fill=\"url(#g)\" pointer-events=\"none\"/>\n</svg>\n</div>"
    );
}

fn strip_row(
    out: &mut String,
    cells: &[CellState],
    row: u32,
    blocks_a_cell: u32,
    volume_blocks: u64,
) {
    let mut x = 0_u32;
    for alike in cells.chunk_by(|one, next| one == next) {
        let len = u32::try_from(alike.len()).expect("a row is short");
        let first = u64::from(row * CELLS_A_ROW + x) * u64::from(blocks_a_cell);
        let last = (first + u64::from(len) * u64::from(blocks_a_cell)).min(volume_blocks) - 1;
        for (_, letter, zh, en) in STATES.iter().filter(|(state, ..)| *state == alike[0]) {
            let _ = writeln!(
                out,
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{SIDE}\" fill=\"url(#{letter})\">\
                 <title>{first}–{last}: {zh} · {en}</title></rect>",
                x * SIDE,
                row * SIDE,
                len * SIDE
            );
        }
        x += len;
    }
}

/// Groups blocks into at most `cells_max` cells, each in its worst state. Returns the cells and how many blocks each
/// stands for.
pub(super) fn cells_of(runs: &[MapRun], cells_max: u32) -> (Vec<CellState>, u32) {
    let blocks: u64 = runs.iter().map(|run| u64::from(run.blocks)).sum();
    let blocks_a_cell = blocks.div_ceil(u64::from(cells_max)).max(1);
    let mut cells = Vec::new();
    let mut at = 0_u64;
    for run in runs.iter().filter(|run| run.blocks > 0) {
        let end = at + u64::from(run.blocks);
        for cell_no in at / blocks_a_cell..=(end - 1) / blocks_a_cell {
            let index = usize::try_from(cell_no).expect("cells are bounded");
            if index == cells.len() {
                cells.push(run.state);
            } else {
                cells[index] = run.state.max(cells[index]);
            }
        }
        at = end;
    }
    (cells, u32::try_from(blocks_a_cell).unwrap_or(u32::MAX))
}
