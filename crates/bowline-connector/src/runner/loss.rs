//! How a link was lost, in the words of the format.

use bowline::{
    CloseCode, Ending, Error, LossClass as Class, managed::Failure, proto::handshake::ResponseHead,
};
use bytes::Bytes;

use crate::machine::{Answer, Loss, LossClass};

/// Tells how an open link ended.
pub(super) fn of_ending(ending: &Ending) -> Loss {
    let class = match (ending.cause, ending.loss_class()) {
        (bowline::Cause::Violation(_), _) => LossClass::Protocol,
        (_, Class::Normal) => LossClass::Normal,
        (_, Class::EndpointGone) => LossClass::EndpointGone,
        (_, Class::PingTimeout) => LossClass::PingTimeout,
        (_, Class::Policy) => LossClass::Policy,
        (_, Class::Network) => LossClass::Network,
        (_, _) => LossClass::Abnormal,
    };
    let code = (ending.code != CloseCode::ABNORMAL).then_some(ending.code.0);
    let text = if ending.reason.is_empty() {
        format!("{} ({})", ending.cause, ending.code)
    } else {
        format!("{} ({}): {}", ending.cause, ending.code, ending.reason)
    };
    Loss { class, code, text }
}

/// Tells why an attempt failed, and what the server answered if it did.
pub(super) fn of_failure(failure: &Failure) -> (Loss, Option<Answer>) {
    let Failure::Connect(error) = failure else {
        // Links that ended are told apart from attempts, and a client's own hooks are not used.
        return (loss(LossClass::Abnormal, failure), None);
    };
    let refused = if let Error::Refused(refused) = error {
        Some(&**refused)
    } else if let Error::Redirect(error) = error {
        Some(error.refused())
    } else {
        None
    };
    let answer = refused.map(|refused| answer_of(&refused.response, refused.body.clone()));
    let class = if answer.is_some() {
        LossClass::Refused
    } else if let Error::Handshake(_) = error {
        LossClass::Protocol
    } else {
        LossClass::Network
    };
    (loss(class, error), answer)
}

/// Takes the answer of a server apart.
pub(super) fn answer_of(response: &ResponseHead, body: Bytes) -> Answer {
    let headers = response.headers().iter();
    Answer {
        status_line: String::from_utf8_lossy(response.status_line()).into_owned(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect(),
        body,
    }
}

fn loss(class: LossClass, text: &dyn std::fmt::Display) -> Loss {
    Loss {
        class,
        code: None,
        text: text.to_string(),
    }
}
