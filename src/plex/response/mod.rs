//! From the bytes of an answer to the result of a call.

pub(crate) mod charset;
pub(crate) mod decode;
pub(crate) mod json;
pub(crate) mod part;
pub(crate) mod receive;
pub(crate) mod result;
pub(crate) mod xml;
