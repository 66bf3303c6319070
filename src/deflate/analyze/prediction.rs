//! Compares the model's predictions with segments that are known.

use super::super::DeflateError;
use super::super::inflate::{BlockForm, BlockSegment};
use super::super::run::WriterRun;
use super::super::text::Stretch;
use super::super::token::Token;
use super::super::trees;

/// The predictions for a segment.
#[derive(Default)]
pub(crate) struct Prediction {
    /// One predicted token for each token of the segment. Empty when all predictions are right.
    pub(crate) tokens: Vec<Token>,
    pub(crate) misses: usize,
    /// Number of the rule that gives the header.
    pub(crate) rule: u8,
}

/// Returns the predictions for a segment whose tokens are known to be predicted.
pub(super) fn foreseen(segment: &BlockSegment, rule: u8) -> Prediction {
    let mut prediction = Prediction {
        rule,
        ..Prediction::default()
    };
    if let Some(BlockForm::Dynamic(header)) = segment.head.as_ref().map(|head| &head.kind) {
        prediction.rule = trees::find_rule(&segment.tokens, header, rule);
    }
    prediction
}

/// Predicts a segment that begins at `position`. `rule` is the rule of the block before.
pub(crate) fn look(
    run: &mut WriterRun,
    stretch: &Stretch,
    position: u64,
    segment: &BlockSegment,
    rule: u8,
) -> Result<Prediction, DeflateError> {
    let mut prediction = Prediction {
        rule,
        ..Prediction::default()
    };
    if segment.bytes > 0 {
        run.turn(stretch, position);
        if segment.head.is_some() {
            run.block(stretch, position);
        }
    }
    let head = segment.head.as_ref().map(|head| &head.kind);
    if let Some(BlockForm::Stored { .. }) = head {
        let end = position + segment.bytes as u64;
        run.pass_over(stretch, position, end, &mut prediction.tokens);
        prediction.tokens.clear();
        return Ok(prediction);
    }
    if run.has_model() {
        predict(run, stretch, position, segment, &mut prediction)?;
    }
    if let Some(BlockForm::Dynamic(header)) = head {
        prediction.rule = trees::find_rule(&segment.tokens, header, rule);
    }
    Ok(prediction)
}

fn predict(
    run: &mut WriterRun,
    stretch: &Stretch,
    position: u64,
    segment: &BlockSegment,
    prediction: &mut Prediction,
) -> Result<(), DeflateError> {
    let predicted = &mut prediction.tokens;
    predicted.reserve(segment.tokens.len());
    if !run.predict_all(stretch, position, &segment.tokens, predicted) {
        return Err(DeflateError::Corrupt("prediction: the model stands still"));
    }
    let pairs = segment.tokens.iter().zip(predicted.iter());
    prediction.misses = pairs
        .filter(|(token, predicted)| token != predicted)
        .count();
    if prediction.misses == 0 {
        prediction.tokens = Vec::new();
    }
    Ok(())
}
