//! The damage map: one page that shows, block by block, the state of a set's volumes. It works on screens, on paper,
//! and for eyes that see few colors.
//!
//! It only draws. `volumes` decides what heals.

mod strip;

use std::fmt::Write as _;

use self::strip::strip;
use crate::base::id::SetId;
use crate::volumes::media::markup::html_text;
use crate::volumes::recovery::SetNeeds;

/// Most cells of one volume. With many volumes there are fewer, so that the page stays below about 8 MB.
const CELLS_MAX: u32 = 2000;
const CELLS_OF_ALL_MAX: u32 = 40_000;
const CELLS_MIN: u32 = 50;
const TEXT_MAX_CHARS: usize = 200;
/// The beginning of every map, which no other page has.
const DOCTYPE: &str = "<!DOCTYPE html>\n";
const GENERATOR: &str = r#"<meta name="generator" content="carryall damage map">"#;

/// The state of a block, from best to worst. A cell for several blocks shows the worst of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CellState {
    /// Read, and its hash is right.
    Intact,
    /// Its volume was not given. It may be intact, and the others do not need it.
    NotGiven,
    /// Damaged or missing. Its own volume restores it.
    HealedLocally,
    /// Damaged or missing. The other volumes restore it.
    HealedBySet,
    /// Nothing available restores it.
    Lost,
}

/// Every state, with its letter, its pattern and its words.
const STATES: [(CellState, char, &str, &str); 5] = [
    (CellState::Intact, 'i', "完好", "intact"),
    (CellState::NotGiven, 'n', "未提供", "not given"),
    (
        CellState::HealedLocally,
        'a',
        "损坏，本卷可自行修复",
        "damaged, heals from this volume alone",
    ),
    (
        CellState::HealedBySet,
        's',
        "损坏，由其他卷修复",
        "damaged, heals from the other volumes",
    ),
    (CellState::Lost, 'x', "丢失", "lost"),
];

/// Adjacent blocks in the same state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapRun {
    /// Number of blocks.
    pub blocks: u32,
    /// Their state.
    pub state: CellState,
}

/// Whether a volume carries data or parity for the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VolumeRole {
    /// Data volume.
    Data,
    /// Spare volume.
    Spare,
}

/// One volume of the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapVolume {
    /// Volume number, from 1.
    pub volume_no: u16,
    /// Its role.
    pub role: VolumeRole,
    /// Where it was read from, or any other words beside its number. May be empty.
    pub label: String,
    /// All its blocks, in order.
    pub runs: Vec<MapRun>,
    /// Blocks that were read and have a wrong hash. The other bad blocks were not found at all.
    pub met_damaged_blocks: u32,
}

/// The map of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamageMap {
    /// The set.
    pub set_id: SetId,
    /// Its title, any text.
    pub title: String,
    /// Its volumes in order.
    pub volumes: Vec<MapVolume>,
    /// What would help, or `None` when that was not asked.
    pub needs: Option<SetNeeds>,
}

/// Returns whether a file with this beginning is a damage map.
pub fn is_map(head: &[u8]) -> bool {
    head.starts_with(DOCTYPE.as_bytes())
        && head
            .windows(GENERATOR.len())
            .any(|part| part == GENERATOR.as_bytes())
}

/// Renders the map as one self-contained page.
pub fn map_html(map: &DamageMap) -> String {
    let title = html_text(&map.title, TEXT_MAX_CHARS);
    let mut out = format!(
        "{DOCTYPE}<html lang=\"zh-CN\">\n<head>\n<meta charset=\"utf-8\">\n{GENERATOR}\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{css}</style>\n</head>\n\
         <body>\n{PATTERNS}\n<h1>{title}</h1>\n<p class=\"soft\">介质检查图 · Damage map · 卷集 set <b>{short}</b> <code>{set}</code></p>\n",
        css = include_str!("map.css"),
        short = map.set_id.short(),
        set = map.set_id,
    );
    verdict(&mut out, map);
    fetch(&mut out, map);
    legend(&mut out);
    table(&mut out, map);
    let volume_count = u32::try_from(map.volumes.len()).unwrap_or(u32::MAX).max(1);
    let cells_max = (CELLS_OF_ALL_MAX / volume_count).clamp(CELLS_MIN, CELLS_MAX);
    for volume in &map.volumes {
        strip(&mut out, volume, cells_max);
    }
    out.push_str("</body>\n</html>\n");
    out
}

/// Fills that differ in brightness and pattern, and not only in color. `g` is the grid over the cells.
const PATTERNS: &str = r##"<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>
<pattern id="i" width="10" height="10" patternUnits="userSpaceOnUse"><rect width="10" height="10" fill="#d3ebe0"/></pattern>
<pattern id="n" width="10" height="10" patternUnits="userSpaceOnUse"><rect width="10" height="10" fill="#fff"/><circle cx="5" cy="5" r="1" fill="#8a94a3"/></pattern>
<pattern id="a" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" fill="#ffd98a"/><path d="M-1 6 6-1M-1 1 1-1M4 6 6 4" stroke="#a05a00" stroke-width="1.2"/></pattern>
<pattern id="s" width="5" height="5" patternUnits="userSpaceOnUse"><rect width="5" height="5" fill="#7db7e0"/><path d="M0 0 5 5M5 0 0 5" stroke="#003f73" stroke-width="1"/></pattern>
<pattern id="x" width="10" height="10" patternUnits="userSpaceOnUse"><rect width="10" height="10" fill="#000"/><path d="M3 3 7 7M7 3 3 7" stroke="#fff" stroke-width="1.3"/></pattern>
<pattern id="g" width="10" height="10" patternUnits="userSpaceOnUse"><path d="M10 0V10H0" fill="none" stroke="#fff" stroke-width="1.2"/></pattern>
</defs></svg>"##;

fn count(volume: &MapVolume, state: CellState) -> u64 {
    volume
        .runs
        .iter()
        .filter(|run| run.state == state)
        .map(|run| u64::from(run.blocks))
        .sum()
}

fn verdict(out: &mut String, map: &DamageMap) {
    let all = |state| {
        map.volumes
            .iter()
            .map(|volume| count(volume, state))
            .sum::<u64>()
    };
    let lost = all(CellState::Lost);
    let healed = all(CellState::HealedLocally) + all(CellState::HealedBySet);
    let incomplete = map.needs.as_ref().is_some_and(|needs| !needs.complete);
    let (class, zh, en) = match (lost, healed) {
        (0, 0) if incomplete => (
            "heals",
            "手头的卷完好，还缺其他卷".to_owned(),
            "What was given is intact, and more volumes are needed".to_owned(),
        ),
        (0, 0) => (
            "ok",
            "读到的内容全部完好".to_owned(),
            "All that was read is intact".to_owned(),
        ),
        (0, _) => (
            "heals",
            format!("有 {healed} 块损坏，全部可以修复"),
            format!("{healed} blocks are damaged, and all of them heal"),
        ),
        _ => (
            "bad",
            format!("有 {lost} 块目前无法恢复，请补充其他卷或同一卷的另一份拷贝"),
            format!(
                "{lost} blocks cannot be brought back yet: give more volumes, or another copy of a damaged one"
            ),
        ),
    };
    let _ = writeln!(
        out,
        "<p class=\"verdict {class}\">{zh}<br><span lang=\"en\">{en}</span></p>"
    );
}

/// Writes what to do: which volumes were not given, which ones to fetch, and what remains when nobody has them.
fn fetch(out: &mut String, map: &DamageMap) {
    let away: Vec<u16> = map
        .volumes
        .iter()
        .filter(|volume| !volume.runs.is_empty())
        .filter(|volume| {
            volume
                .runs
                .iter()
                .all(|run| run.state == CellState::NotGiven)
        })
        .map(|volume| volume.volume_no)
        .collect();
    let mut lines: Vec<(String, String)> = Vec::new();
    if !away.is_empty() {
        let list = numbers(&away);
        lines.push((
            format!("未提供：第 {list} 卷。它们未必有问题，只是这次没有检查。"),
            format!("Not given: {list}. They may well be fine: they were not looked at."),
        ));
    }
    if let Some(needs) = map.needs.as_ref().filter(|needs| !needs.complete) {
        let asked = numbers(&needs.ask_for);
        match needs.at_least {
            Some(least) if usize::from(least) < needs.any_of.len() => {
                let any = numbers(&needs.any_of);
                lines.push((
                    format!("请取来：第 {any} 卷中的任意 {least} 卷（首选第 {asked} 卷）。"),
                    format!("Fetch any {least} of volumes {any}, best {asked}."),
                ));
            }
            Some(_) => lines.push((
                format!("请取来：第 {asked} 卷。"),
                format!("Fetch volume {asked}."),
            )),
            None => {}
        }
        if !needs.damaged.is_empty() {
            let damaged = numbers(&needs.damaged);
            lines.push((
                format!("第 {damaged} 卷的另一份拷贝也有帮助：换一台光驱，或用 ddrescue 读出映像。"),
                format!("Another copy of volume {damaged} helps too: another drive, or an image read with ddrescue."),
            ));
        }
        let short = map.set_id.short();
        lines.push((
            format!(
                "都没有时：在现场用已有的卷运行 carryall receive，再把 carryall receipt 打印的内容和卷集编号 {short} 告诉发送方；\
                 发送方用 carryall pack --for 回执 做一张只含所缺部分的补充盘。"
            ),
            format!(
                "If nobody has them: run carryall receive with what there is, and tell the sender what carryall receipt prints and \
                 the set number {short}. With carryall pack --for RECEIPT the sender makes a top-up of what is lacking alone."
            ),
        ));
    }
    if lines.is_empty() {
        return;
    }
    out.push_str("<ul class=\"todo\">\n");
    for (zh, en) in lines {
        let _ = writeln!(out, "<li>{zh}<br><span lang=\"en\">{en}</span></li>");
    }
    out.push_str("</ul>\n");
}

/// Formats numbers as `3, 5, 7`.
fn numbers(nos: &[u16]) -> String {
    let texts: Vec<String> = nos.iter().map(u16::to_string).collect();
    texts.join(", ")
}

fn legend(out: &mut String) {
    out.push_str("<ul class=\"legend\">\n");
    for (_, letter, zh, en) in STATES {
        let _ = writeln!(
            out,
            "<li><svg width=\"30\" height=\"20\" viewBox=\"0 0 30 20\"><rect width=\"30\" height=\"20\" fill=\"url(#{letter})\"/></svg>\
             {zh} · <span lang=\"en\">{en}</span></li>"
        );
    }
    out.push_str("</ul>\n");
}

fn table(out: &mut String, map: &DamageMap) {
    out.push_str(
        "<div class=\"wide\"><table>\n<tr><th>卷<br>volume</th><th>块数<br>blocks</th><th>完好<br>intact</th><th>未提供<br>not given</th>\
         <th>本卷修复<br>heal alone</th><th>他卷修复<br>heal by set</th><th>丢失<br>lost</th>\
         <th>读到但已损坏<br>met damaged</th></tr>\n",
    );
    for volume in &map.volumes {
        let blocks: u64 = volume.runs.iter().map(|run| u64::from(run.blocks)).sum();
        let _ = write!(out, "<tr><td>{}</td><td>{blocks}</td>", volume.volume_no);
        for (state, ..) in STATES {
            let blocks = count(volume, state);
            let class = if blocks > 0 && state > CellState::NotGiven {
                " class=\"some\""
            } else {
                ""
            };
            let _ = write!(out, "<td{class}>{blocks}</td>");
        }
        let _ = writeln!(out, "<td>{}</td></tr>", volume.met_damaged_blocks);
    }
    out.push_str("</table></div>\n");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::strip::cells_of;
    use super::*;

    fn run(blocks: u32, state: CellState) -> MapRun {
        MapRun { blocks, state }
    }

    fn volume(volume_no: u16, runs: Vec<MapRun>) -> MapVolume {
        MapVolume {
            volume_no,
            role: VolumeRole::Data,
            label: "/mnt/<cd>".into(),
            runs,
            met_damaged_blocks: 3,
        }
    }

    fn map(volumes: Vec<MapVolume>) -> DamageMap {
        DamageMap {
            set_id: SetId([9; 16]),
            title: "shop & <co>".into(),
            volumes,
            needs: None,
        }
    }

    #[test]
    fn a_cell_shows_the_worst_of_its_blocks_and_none_is_left_out() {
        let runs = [
            run(5, CellState::Intact),
            run(1, CellState::Lost),
            run(6, CellState::HealedBySet),
            run(1, CellState::HealedLocally),
        ];
        let (cells, blocks_a_cell) = cells_of(&runs, 4);
        assert_eq!(blocks_a_cell, 4);
        let expected = [
            CellState::Intact,
            CellState::Lost,
            CellState::HealedBySet,
            CellState::HealedLocally,
        ];
        assert_eq!(cells, expected);
        assert_eq!(cells_of(&runs, 2000).0.len(), 13);
        assert_eq!(cells_of(&[], 2000), (vec![], 1));
        let single = [
            run(1_000_000, CellState::Intact),
            run(1, CellState::Lost),
            run(477_000, CellState::Intact),
        ];
        let (cells, _) = cells_of(&single, 2000);
        assert!(cells.len() <= 2000);
        assert_eq!(
            cells
                .iter()
                .filter(|cell| **cell == CellState::Lost)
                .count(),
            1
        );
    }

    #[test]
    fn the_page_says_what_is_lost_and_keeps_outside_text_out_of_its_markup() {
        let page = map_html(&map(vec![volume(
            1,
            vec![run(10, CellState::Intact), run(2, CellState::Lost)],
        )]));
        assert!(page.contains("2 blocks cannot be brought back yet"));
        assert!(page.contains("<title>10–11: 丢失 · lost</title>"));
        assert!(page.contains("shop &amp; &lt;co&gt;") && page.contains("/mnt/&lt;cd&gt;"));
        let fine = map_html(&map(vec![volume(1, vec![run(10, CellState::HealedBySet)])]));
        assert!(fine.contains("all of them heal"));
    }

    #[test]
    fn a_volume_not_given_is_not_called_damaged_and_the_page_says_what_to_fetch() {
        let mut two = map(vec![
            volume(1, vec![run(10, CellState::Intact)]),
            volume(2, vec![run(10, CellState::NotGiven)]),
            volume(3, vec![run(10, CellState::NotGiven)]),
        ]);
        two.needs = Some(SetNeeds {
            rest_of: Vec::new(),
            complete: false,
            ask_for: vec![2],
            any_of: vec![2, 3],
            at_least: Some(1),
            damaged: vec![1],
        });
        let page = map_html(&two);
        for said in [
            "Not given: 2, 3.",
            "未提供：第 2, 3 卷",
            "Fetch any 1 of volumes 2, 3, best 2.",
            "任意 1 卷",
            "Another copy of volume 1",
            "carryall receipt",
            "09090909",
            "initial-scale=1",
        ] {
            assert!(page.contains(said), "{said}");
        }
        assert!(!page.contains("blocks are damaged") && !page.contains("cannot be brought back"));
        two.needs = Some(SetNeeds {
            rest_of: Vec::new(),
            complete: true,
            ask_for: vec![],
            any_of: vec![],
            at_least: Some(0),
            damaged: vec![],
        });
        let page = map_html(&two);
        assert!(page.contains("Not given: 2, 3.") && !page.contains("Fetch"));
        assert!(page.contains("All that was read is intact"));
    }

    #[test]
    fn the_page_is_bounded_for_many_volumes_and_mixed_damage() {
        let states = [CellState::Intact, CellState::HealedLocally];
        let mixed: Vec<_> = (0..4000).map(|no| run(1, states[no / 2 % 2])).collect();
        let volumes = (1..=1024).map(|no| volume(no, mixed.clone())).collect();
        let page = map_html(&map(volumes));
        assert!(page.len() < 12_000_000, "{}", page.len());
    }

    #[test]
    fn a_map_is_known_by_its_beginning() {
        let page = map_html(&map(vec![volume(1, vec![run(3, CellState::Intact)])]));
        assert!(is_map(&page.as_bytes()[..4096]));
        let other = page.replace(GENERATOR, "");
        assert!(!is_map(other.as_bytes()) && !is_map(b"") && !is_map(GENERATOR.as_bytes()));
    }
}
