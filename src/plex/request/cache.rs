//! What one call has made and the next one most likely needs: the server's URL, read, and the headers of the device.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::header::HeaderMap;
use plexsync_protocol::identity::Identity;

use crate::http::headers::{Unsendable, of_device};
use crate::plex::request::url::Base;

/// Of each the last one.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    base: Mutex<Option<(String, Base)>>,
    device: Mutex<Option<(Arc<Identity>, HeaderMap)>>,
}

impl Cache {
    /// As [`Base::parse`].
    pub(crate) fn base(&self, text: &str) -> Result<Base, &'static str> {
        let mut last = locked(&self.base);
        if let Some((_, base)) = last.as_ref().filter(|(known, _)| known == text) {
            return Ok(base.clone());
        }
        let base = Base::parse(text)?;
        *last = Some((text.to_owned(), base.clone()));
        Ok(base)
    }

    /// As [`of_device`].
    pub(crate) fn device(&self, identity: &Arc<Identity>) -> Result<HeaderMap, Unsendable> {
        let mut last = locked(&self.device);
        if let Some((_, headers)) = last.as_ref().filter(|(known, _)| Arc::ptr_eq(known, identity))
        {
            return Ok(headers.clone());
        }
        let headers = of_device(&identity.headers)?;
        *last = Some((identity.clone(), headers.clone()));
        Ok(headers)
    }
}

fn locked<T>(last: &Mutex<T>) -> MutexGuard<'_, T> {
    last.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use plexsync_protocol::identity::{IdentityHeaders, Origin};

    use super::*;

    #[test]
    fn another_server_and_another_identity_are_not_taken_for_the_last_one() {
        let cache = Cache::default();
        for text in ["http://one:32400", "http://two:32400", "no URL", "http://one:32400"] {
            (0..2).for_each(|_| assert_eq!(cache.base(text), Base::parse(text)));
        }
        for id in ["one", "two", "o\nne", "one"] {
            let headers = IdentityHeaders::new(id, "1.0.0");
            let identity =
                Identity::new(id.to_owned(), Origin::Loaded, String::new(), headers, None);
            let identity = Arc::new(identity);
            for _ in 0..2 {
                assert_eq!(cache.device(&identity), of_device(&identity.headers));
            }
        }
    }
}
