//! The response on its way out.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::SignedIn;
use super::steps::Visit;

/// A framework's response.
pub(super) trait Answer {
    /// Hands over the [`SignedIn`] among its extensions, if there is one.
    fn signed_in(&self, then: impl FnOnce(Option<&SignedIn>));
}

pin_project! {
    /// The future of [`LastActivity`](super::LastActivity): the wrapped service's own, watched for a [`SignedIn`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless they are awaited"]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        visit: Visit,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, visit: Visit) -> Self {
        Self { inner, visit }
    }
}

impl<F, R: Answer, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        if let Ok(response) = &result {
            response.signed_in(|signed_in| this.visit.after(signed_in));
        }
        Poll::Ready(result)
    }
}
