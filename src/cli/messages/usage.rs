//! A command line that makes no sense, said in Chinese. English is what the parser says itself.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::is_chinese;

/// What is wrong with the command line; `None` where the parser's own words do.
pub fn usage(error: &Error) -> Option<String> {
    if !is_chinese() {
        return None;
    }
    let arg = said(error, ContextKind::InvalidArg);
    let value = said(error, ContextKind::InvalidValue);
    let text = match error.kind() {
        ErrorKind::UnknownArgument => format!("没有 {arg} 这个选项或参数"),
        ErrorKind::InvalidSubcommand => {
            format!(
                "没有 {} 这个命令",
                said(error, ContextKind::InvalidSubcommand)
            )
        }
        ErrorKind::MissingRequiredArgument => format!("缺少 {arg}"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return None;
        }
        ErrorKind::ArgumentConflict => {
            format!(
                "{arg} 不能与 {} 同时使用",
                said(error, ContextKind::PriorArg)
            )
        }
        ErrorKind::NoEquals => format!("{arg} 后面要写 ="),
        ErrorKind::InvalidValue if value.is_empty() => format!("{arg} 后面缺少内容"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let allowed = said(error, ContextKind::ValidValue);
            let allowed = if allowed.is_empty() {
                std::error::Error::source(error).map_or_else(String::new, |why| format!("：{why}"))
            } else {
                format!("：可用 {allowed}")
            };
            format!("{arg} 不接受 {value:?}{allowed}")
        }
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues | ErrorKind::TooFewValues => {
            format!("{arg} 的内容个数不对")
        }
        ErrorKind::InvalidUtf8 => "命令行中有不是 UTF-8 的文字".to_owned(),
        _ => return None,
    };
    let suggested = [
        ContextKind::SuggestedArg,
        ContextKind::SuggestedSubcommand,
        ContextKind::SuggestedValue,
    ];
    let meant = suggested
        .iter()
        .map(|kind| said(error, *kind))
        .find(|text| !text.is_empty());
    let meant = meant.map_or_else(String::new, |text| format!("；是否指 {text}？"));
    let label = super::error_label();
    Some(format!("{label}: {text}{meant}\n"))
}

fn said(error: &Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join("、"),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
