//! The response on its way out.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use pin_project_lite::pin_project;

use super::SignedIn;
use crate::Tracker;

pin_project! {
    /// The future of [`LastActivity`](super::LastActivity): the wrapped service's own, watched for a [`SignedIn`].
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        tracker: Tracker,
        ip: Option<IpAddr>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) fn new(inner: F, tracker: Tracker, ip: Option<IpAddr>) -> Self {
        Self { inner, tracker, ip }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = ready!(this.inner.poll(cx));
        if let Ok(response) = &result
            && let Some(SignedIn(user)) = response.extensions().get()
        {
            this.tracker.touch(user, *this.ip);
        }
        Poll::Ready(result)
    }
}
