//! Happy eyeballs: several addresses at once, without haste (RFC 8305 section 5).

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::time::sleep;

/// Dials addresses in order, each when the one before has failed or not answered for `delay`;
/// gives the first success, and drops the other attempts.
///
/// # Errors
/// Every failure, in the order in which they came; empty without addresses.
pub(super) async fn race<T, R>(
    addresses: Vec<SocketAddr>,
    delay: Duration,
    dial: impl Fn(SocketAddr) -> R,
) -> Result<T, Vec<(SocketAddr, io::Error)>>
where
    R: Future<Output = io::Result<T>>,
{
    let mut field = Field {
        attempts: Vec::with_capacity(addresses.len()),
        failures: Vec::new(),
    };
    for address in addresses {
        field.attempts.push((address, Box::pin(dial(address))));

        tokio::select! {
            biased;
            winner = poll_fn(|cx| field.poll_next(cx)) => if let Some(winner) = winner {
                return Ok(winner);
            },
            () = sleep(delay) => {}
        }
    }
    while !field.attempts.is_empty() {
        if let Some(winner) = poll_fn(|cx| field.poll_next(cx)).await {
            return Ok(winner);
        }
    }
    Err(field.failures)
}

/// The attempts under way. They are few, so each wake-up polls all.
struct Field<R> {
    attempts: Vec<(SocketAddr, Pin<Box<R>>)>,
    failures: Vec<(SocketAddr, io::Error)>,
}

impl<T, R: Future<Output = io::Result<T>>> Field<R> {
    /// Waits for the next attempt to end; `None` if it failed.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut failed = None;
        for (index, (address, attempt)) in self.attempts.iter_mut().enumerate() {
            match attempt.as_mut().poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Ok(winner)) => return Poll::Ready(Some(winner)),
                Poll::Ready(Err(error)) => {
                    failed = Some((index, *address, error));
                    break;
                }
            }
        }
        let Some((index, address, error)) = failed else {
            return Poll::Pending;
        };
        drop(self.attempts.remove(index));
        self.failures.push((address, error));
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, collections::HashMap};

    use tokio::time::Instant;

    use super::*;

    /// How an address behaves: after how many milliseconds it takes or refuses the connection.
    #[derive(Clone, Copy)]
    enum Is {
        Up(u64),
        Down(u64),
        BlackHole,
    }

    /// Shows that an attempt was given up.
    struct Trace<'a>(u16, &'a RefCell<Vec<u16>>);

    impl Drop for Trace<'_> {
        fn drop(&mut self) {
            self.1.borrow_mut().push(self.0);
        }
    }

    /// The winner, how long it took, and when each was dialled, in milliseconds.
    type Raced = (Option<u16>, u128, Vec<u128>);

    /// Races addresses that behave so.
    async fn run(fates: &[Is]) -> Raced {
        let start = Instant::now();
        let dialled = RefCell::new(Vec::new());
        let ended = RefCell::new(Vec::new());
        let address = |port: usize| SocketAddr::from(([127, 0, 0, 1], port.try_into().unwrap()));
        let fates: HashMap<_, _> = fates
            .iter()
            .enumerate()
            .map(|(port, fate)| (address(port), *fate))
            .collect();
        let addresses = (0..fates.len()).map(address).collect();
        let won = race(addresses, Duration::from_millis(250), |address| {
            dialled.borrow_mut().push(start.elapsed().as_millis());
            let trace = Trace(address.port(), &ended);
            let fate = fates[&address];
            async move {
                let _trace = trace;
                match fate {
                    Is::Up(after) => sleep(Duration::from_millis(after)).await,
                    Is::Down(after) => {
                        sleep(Duration::from_millis(after)).await;
                        return Err(io::ErrorKind::ConnectionRefused.into());
                    }
                    Is::BlackHole => std::future::pending().await,
                }
                Ok(address.port())
            }
        })
        .await;
        let dialled = dialled.into_inner();
        assert_eq!(
            ended.borrow().len(),
            dialled.len(),
            "every attempt is over when the race is"
        );
        if let Err(failures) = &won {
            assert_eq!(failures.len(), fates.len(), "every failure is told");
        }
        (won.ok(), start.elapsed().as_millis(), dialled)
    }

    #[tokio::test(start_paused = true)]
    async fn addresses_are_raced_in_order_and_the_first_answer_wins() {
        use Is::{BlackHole, Down, Up};
        let cases: [(&[Is], Raced); 8] = [
            (&[], (None, 0, vec![])),
            (&[Up(10), Up(0)], (Some(0), 10, vec![0])),
            (&[BlackHole, Up(10)], (Some(1), 260, vec![0, 250])),
            (&[Down(5), Up(10)], (Some(1), 15, vec![0, 5])),
            (&[Up(300), Up(100)], (Some(0), 300, vec![0, 250])),
            (
                &[Up(900), BlackHole, Up(20)],
                (Some(2), 520, vec![0, 250, 500]),
            ),
            (
                &[BlackHole, Down(0), Up(1)],
                (Some(2), 251, vec![0, 250, 250]),
            ),
            (&[Down(400), Down(400)], (None, 650, vec![0, 250])),
        ];
        for (index, (fates, raced)) in cases.into_iter().enumerate() {
            assert_eq!(run(fates).await, raced, "case {index}");
        }
    }
}
