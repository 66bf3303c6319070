//! The examples run to their ends.

#[path = "../../examples/add_and_checkout.rs"]
mod add_and_checkout;
#[path = "../../examples/lose_a_volume.rs"]
mod lose_a_volume;
#[path = "../../examples/serve.rs"]
mod serve;

// Each asserts what it says.

#[test]
fn a_release_is_added_and_checked_out() {
    add_and_checkout::main().unwrap();
}

#[test]
fn a_release_is_received_without_one_of_its_volumes() {
    lose_a_volume::main().unwrap();
}

#[test]
fn an_image_is_served() {
    serve::main().unwrap();
}
