//! `checkout`: gives a release back.

use std::path::Path;

use carryall::base::diagnostic::diagnostic;
use carryall::oci::image::export::ImageForm;
use carryall::ops;
use carryall::ops::checkout::attached::{self, AttachmentReport};
use carryall::ops::checkout::images::{self, ImageOptions, ImageReport};
use carryall::ops::checkout::{self, CheckoutOptions, CheckoutReport, ItemState};
use carryall::store::{OpenMode, Store};

use crate::cli::args::{AsArg, CheckoutArgs};
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &CheckoutArgs) -> Result<u8, Failure> {
    let form = match args.form {
        AsArg::Attachments => None,
        AsArg::Original if !args.choice.image.is_empty() => {
            return Err(diagnostic!("usage.image_without_form").into());
        }
        AsArg::Original => None,
        AsArg::DockerArchive => Some(ImageForm::DockerArchive),
        AsArg::Oci => Some(ImageForm::OciLayout),
    };
    let is_items = args.form == AsArg::Original;
    if !is_items && !args.item.is_empty() {
        return Err(diagnostic!("usage.item_with_form").into());
    }
    if !is_items && args.privileges.privileged {
        return Err(diagnostic!("usage.privileged_with_form").into());
    }
    let store = open::store(context, OpenMode::Read)?;
    let root = ops::release_for(&store, &args.release, args.choice.one_platform())?;
    if let Some(form) = form {
        return give_images(context, &store, &root.name, args, form);
    }
    if args.form == AsArg::Attachments {
        return give_attachments(context, &store, &root.name, args);
    }
    let mut options = CheckoutOptions::default();
    options.items.clone_from(&args.item);
    options.privileges = args.privileges.to_privileges();
    let report = checkout::checkout(&store, &root.name, &args.dest, &options, &context.screen)?;
    context.print(&report, |report| text(report, &args.dest))?;
    if !report.is_whole() {
        context.hint_damage();
    }
    Ok(exit_code(report.completion()))
}

fn give_images(
    context: &Context,
    store: &Store,
    release: &carryall::content::release::ReleaseName,
    args: &CheckoutArgs,
    form: ImageForm,
) -> Result<u8, Failure> {
    let mut options = ImageOptions::new(form);
    options.choice = args.choice.to_choice();
    let report = images::checkout_images(store, release, &args.dest, &options, &context.screen)?;
    context.print(&report, |report| images_text(report, &args.dest, form))?;
    Ok(exit_code(report.completion()))
}

fn give_attachments(
    context: &Context,
    store: &Store,
    release: &carryall::content::release::ReleaseName,
    args: &CheckoutArgs,
) -> Result<u8, Failure> {
    let (choice, screen) = (args.choice.to_choice(), &context.screen);
    let report = attached::checkout_attachments(store, release, &args.dest, &choice, screen)?;
    context.print(&report, |report| attachments_text(report, &args.dest))?;
    Ok(exit_code(report.completion()))
}

fn attachments_text(report: &AttachmentReport, dest: &Path) -> String {
    let mut out = String::new();
    for each in &report.attachments {
        out += &messages::attachment_line(&each.attachment, &each.references);
    }
    out + &messages::attachments_out(report, dest)
}

fn text(report: &CheckoutReport, dest: &Path) -> String {
    let mut out = String::new();
    for item in &report.items {
        let state = messages::item_state(item.state);
        out += &format!(
            "  {state}  {}  {}\n",
            messages::shown(&item.name),
            messages::bytes(item.bytes)
        );
    }
    out + &messages::checked_out(report, dest)
}

fn images_text(report: &ImageReport, dest: &Path, form: ImageForm) -> String {
    let mut out = String::new();
    for image in &report.images {
        let state = messages::item_state(if image.is_whole {
            ItemState::Whole
        } else {
            ItemState::Lost
        });
        let platform = messages::platform(image.platform.as_ref());
        let name = messages::image_name(&image.references, &image.digest);
        out += &format!("  {state}  {name}  {platform}\n");
    }
    out + &messages::images_out(report, dest, form)
}
