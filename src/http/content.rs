//! Bodies as they were before the server compressed them (RFC 9110, section 8.4).

use std::io;
use std::pin::Pin;

use async_compression::tokio::bufread::{BrotliDecoder, DeflateDecoder, GzipDecoder, ZlibDecoder};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt;
use http_body_util::{BodyDataStream, BodyExt as _};
use hyper::body::{Body as _, Incoming};
use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _};
use tokio_util::io::StreamReader;

/// What [`Content`] can undo.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br";
/// Most decompressed bytes that are handed on at once.
const PIECE: usize = 64 * 1024;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Reader = Pin<Box<dyn AsyncRead + Send>>;
type Source = Pin<Box<dyn AsyncBufRead + Send>>;

#[derive(Clone, Copy)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

/// A body, piece by piece.
pub(crate) enum Content {
    Plain(Incoming),
    /// Whose first bytes have not come yet.
    Coded(Coding, Source),
    Decoding(Reader),
}

impl Content {
    /// The body behind this head. What is decompressed loses the headers that say it isn't.
    pub(crate) fn new(headers: &mut HeaderMap, body: Incoming) -> Self {
        let Some(coding) = coding(headers).filter(|_| !body.is_end_stream()) else {
            return Self::Plain(body);
        };
        headers.remove(CONTENT_ENCODING);
        headers.remove(CONTENT_LENGTH);
        let data = TryStreamExt::map_err(BodyDataStream::new(body), io::Error::other);
        Self::Coded(coding, Box::pin(StreamReader::new(data)))
    }

    /// Length in bytes, where it is known before all has come.
    pub(crate) fn announced(&self) -> Option<u64> {
        match self {
            Self::Plain(body) => body.size_hint().exact(),
            Self::Coded(..) | Self::Decoding(_) => None,
        }
    }

    /// The next piece; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        if let Self::Coded(coding, source) = self {
            // An empty body is no broken one.
            let Some(&first) = source.fill_buf().await?.first() else { return Ok(None) };
            let coding = *coding;
            let source = std::mem::replace(source, Box::pin(tokio::io::empty()));
            *self = Self::Decoding(decoder(coding, first, source));
        }
        match self {
            Self::Plain(body) => loop {
                match body.frame().await.transpose()?.map(|frame| frame.into_data()) {
                    Some(Ok(data)) => return Ok(Some(data)),
                    // Trailers.
                    Some(Err(_)) => {}
                    None => return Ok(None),
                }
            },
            Self::Coded(..) => Ok(None),
            Self::Decoding(reader) => {
                let mut piece = BytesMut::with_capacity(PIECE);
                let read = reader.read_buf(&mut piece).await?;
                Ok((read > 0).then(|| piece.freeze()))
            }
        }
    }
}

/// How the body is compressed; letter case does not matter. Two codings at once, and those that were not asked for, stay.
fn coding(headers: &HeaderMap) -> Option<Coding> {
    let name = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim().to_ascii_lowercase();
    match name.as_str() {
        "gzip" | "x-gzip" => Some(Coding::Gzip),
        "deflate" => Some(Coding::Deflate),
        "br" => Some(Coding::Brotli),
        _ => None,
    }
}

/// "deflate" is zlib's format; many servers leave out its head, which begins with an 8 in the low half of a byte.
fn decoder(coding: Coding, first: u8, source: Source) -> Reader {
    match coding {
        Coding::Gzip => Box::pin(GzipDecoder::new(source)),
        Coding::Deflate if first & 0x0f == 8 => Box::pin(ZlibDecoder::new(source)),
        Coding::Deflate => Box::pin(DeflateDecoder::new(source)),
        Coding::Brotli => Box::pin(BrotliDecoder::new(source)),
    }
}
