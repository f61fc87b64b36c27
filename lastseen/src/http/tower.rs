//! The steps as a layer for tower services.

use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::future::Answer;
use super::{Identify, LastActivity, LastActivityLayer, ResponseFuture, SignedIn};

#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
impl<S, I: Identify<Parts>> Layer<S> for LastActivityLayer<I> {
    type Service = LastActivity<S, I>;

    fn layer(&self, inner: S) -> Self::Service {
        self.around(inner)
    }
}

#[cfg_attr(docsrs, doc(cfg(feature = "tower")))]
impl<S, I, RequestBody, ResponseBody> Service<Request<RequestBody>> for LastActivity<S, I>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    I: Identify<Parts>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let visit = self.steps.before(&parts);
        ResponseFuture::new(self.inner.call(Request::from_parts(parts, body)), visit)
    }
}

impl<B> Answer for Response<B> {
    fn signed_in(&self, then: impl FnOnce(Option<&SignedIn>)) {
        then(self.extensions().get());
    }
}
