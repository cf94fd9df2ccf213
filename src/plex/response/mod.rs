//! From the bytes of an answer to the result of a call, in the order in which it happens.

pub(crate) mod buffer;
pub(crate) mod work;
pub(crate) mod receive;
pub(crate) mod compression;
pub(crate) mod decode;
pub(crate) mod charset;
pub(crate) mod json;
pub(crate) mod xml;
pub(crate) mod result;
