//! x
use bowline_connector::runner::ElementEvent;
use super::elements::Running;
use crate::exit::Failure;
pub(super) async fn show(_running: &mut Running, _stop: impl Future<Output = ()>) -> Result<(), Failure> { let _: Option<ElementEvent> = None; Ok(()) }
