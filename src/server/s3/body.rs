//! From the body of a request to a blob on the disk: hashed while it streams, verified before anything refers to it.

use super::checksums::{self, Algorithm, Sums};
use super::errors::Fault;
use super::operations::Call;
use super::quota::Reservation;
use crate::server::store::Draft;
use base64::Engine as _;
use futures::StreamExt as _;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, s3_error};

/// Most bytes of one upload or part: 5 GiB (AWS's limit).
const MOST_BYTES: i64 = 5 << 30;

/// What the client says of the body that it sends.
#[derive(Debug, Default)]
pub struct Announced {
    /// `Content-MD5`, base64.
    pub md5: Option<String>,
    /// Checksums in headers.
    pub sums: Sums,
    /// A checksum that the client wants computed.
    pub algorithm: Option<Algorithm>,
    /// `Content-Length`, of the decoded body.
    pub length: Option<i64>,
}

/// A body that arrived whole and unharmed.
pub struct Received {
    /// The data.
    pub draft: Draft,
    /// Bytes.
    pub size: i64,
    /// Its MD5.
    pub md5: [u8; 16],
    /// Its checksums.
    pub sums: Sums,
    /// Its part of the quotas, until it is counted.
    pub reservation: Reservation,
}

/// Streams a body into a new blob. What arrives, and what is announced, is reserved.
pub async fn receive(
    call: &Call,
    body: Option<StreamingBlob>,
    mut announced: Announced,
    mut reservation: Reservation,
) -> Result<Received, Fault> {
    check_size(announced.length.unwrap_or(0), &mut reservation)?;
    let mut hasher = checksums::hasher(&announced.sums, call.announced_trailers(), announced.algorithm);
    let mut md5 = Md5::new();
    let mut size = 0_i64;
    let mut writer = call.store.blobs().create();
    let mut body = body.ok_or_else(|| s3_error!(IncompleteBody))?;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| broken_body(&error))?;
        size = size.saturating_add(i64::try_from(piece.len()).unwrap_or(i64::MAX));
        check_size(size, &mut reservation)?;
        md5.update(&piece);
        hasher.update(&piece);
        writer.write(&piece).await?;
    }
    check_length(announced.length.or(call.decoded_length()), size)?;
    let md5 = md5.finalize();
    let sums = checksums::finalize(hasher);
    let trailers = call.trailers().unwrap_or_default();
    checksums::all_came(call.announced_trailers(), &trailers)?;
    announced.sums.add_trailers(&trailers);
    announced.sums.check(&sums)?;
    check_md5(announced.md5.as_deref(), md5)?;
    let draft = writer.finish().await?;
    Ok(Received { draft, size, md5, sums, reservation })
}

fn check_size(size: i64, reservation: &mut Reservation) -> Result<(), S3Error> {
    if size > MOST_BYTES {
        return Err(s3_error!(EntityTooLarge, "use a multipart upload for more than 5 GiB"));
    }
    reservation.grow_to(size)
}

/// A body in chunks ends where its sender stops: only its length tells that it is whole.
fn check_length(announced: Option<i64>, size: i64) -> Result<(), S3Error> {
    if announced.is_none_or(|length| length == size) {
        return Ok(());
    }
    Err(s3_error!(IncompleteBody, "the body is not as long as it was announced"))
}

fn check_md5(announced: Option<&str>, md5: [u8; 16]) -> Result<(), S3Error> {
    let Some(announced) = announced else { return Ok(()) };
    match base64::engine::general_purpose::STANDARD.decode(announced) {
        Ok(digest) if digest == md5 => Ok(()),
        Ok(digest) if digest.len() == md5.len() => {
            Err(s3_error!(BadDigest, "the MD5 of what arrived is another one"))
        }
        Ok(_) | Err(_) => Err(s3_error!(InvalidDigest)),
    }
}

fn broken_body(error: &s3s::StdError) -> S3Error {
    s3_error!(IncompleteBody, "the body is cut short, or is not what was signed: {error}")
}
