//! The checksums that clients send along and ask for.

use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::Checksum as _;
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};

/// The checksums of an object or a part, base64; the one of an object made of parts ends with `-<parts>` where it is
/// made of the parts' checksums.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sums {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crc64nvme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Takes the [`Sums`] out of anything of s3s that has checksums.
macro_rules! sums_of {
    ($input:expr) => {
        crate::server::s3::checksums::Sums {
            crc32: $input.checksum_crc32.take(),
            crc32c: $input.checksum_crc32c.take(),
            crc64nvme: $input.checksum_crc64nvme.take(),
            sha1: $input.checksum_sha1.take(),
            sha256: $input.checksum_sha256.take(),
        }
    };
}

/// Puts the [`Sums`] into anything of s3s that has checksums.
macro_rules! put_sums {
    ($output:expr, $sums:expr) => {{
        let sums = $sums;
        $output.checksum_crc32 = sums.crc32;
        $output.checksum_crc32c = sums.crc32c;
        $output.checksum_crc64nvme = sums.crc64nvme;
        $output.checksum_sha1 = sums.sha1;
        $output.checksum_sha256 = sums.sha256;
    }};
}
pub(super) use {put_sums, sums_of};

/// The algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// As `x-amz-checksum-algorithm` has it, in any case.
    pub fn parse(text: &str) -> S3Result<Self> {
        let found = Self::ALL.into_iter().find(|a| a.as_str().eq_ignore_ascii_case(text));
        found.ok_or_else(|| s3_error!(InvalidRequest, "the checksum algorithm '{text}' is not known"))
    }

    /// As `x-amz-checksum-algorithm` has it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header, or trailer, with the checksum.
    fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }
}

impl Sums {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is made of the checksums of parts.
    pub fn is_composite(&self) -> bool {
        Algorithm::ALL.into_iter().any(|a| self.get(a).is_some_and(|sum| sum.contains('-')))
    }

    /// The checksum of that algorithm.
    pub fn get(&self, algorithm: Algorithm) -> Option<&str> {
        match algorithm {
            Algorithm::Crc32 => self.crc32.as_deref(),
            Algorithm::Crc32c => self.crc32c.as_deref(),
            Algorithm::Crc64Nvme => self.crc64nvme.as_deref(),
            Algorithm::Sha1 => self.sha1.as_deref(),
            Algorithm::Sha256 => self.sha256.as_deref(),
        }
    }

    /// Sets the checksum of that algorithm.
    pub fn set(&mut self, algorithm: Algorithm, sum: String) {
        let slot = match algorithm {
            Algorithm::Crc32 => &mut self.crc32,
            Algorithm::Crc32c => &mut self.crc32c,
            Algorithm::Crc64Nvme => &mut self.crc64nvme,
            Algorithm::Sha1 => &mut self.sha1,
            Algorithm::Sha256 => &mut self.sha256,
        };
        *slot = Some(sum);
    }

    /// Adds what came in the trailers of the body, where there it says more than the headers did.
    pub fn add_trailers(&mut self, trailers: &HeaderMap) {
        for algorithm in Algorithm::ALL {
            if let Some(sum) = trailers.get(algorithm.header()).and_then(|value| value.to_str().ok()) {
                self.set(algorithm, sum.to_owned());
            }
        }
    }

    /// Fails where one of the checksums is not the one that was computed.
    pub fn check(&self, computed: &Self) -> S3Result<()> {
        for algorithm in Algorithm::ALL {
            if let Some(sum) = self.get(algorithm)
                && Some(sum) != computed.get(algorithm)
            {
                return Err(s3_error!(
                    BadDigest,
                    "the {} of what arrived is another one",
                    algorithm.as_str()
                ));
            }
        }
        Ok(())
    }
}

/// Computes what is asked for: the algorithms of checksums that were sent, of those announced as trailers, and of the
/// one that was named.
pub fn hasher(sent: &Sums, announced: Option<&str>, named: Option<Algorithm>) -> ChecksumHasher {
    let announced: Vec<_> = announced.unwrap_or_default().split(',').map(str::trim).collect();
    let mut hasher = ChecksumHasher::default();
    for algorithm in Algorithm::ALL {
        let trailer = announced.iter().any(|name| name.eq_ignore_ascii_case(algorithm.header()));
        if trailer || sent.get(algorithm).is_some() || named == Some(algorithm) {
            enable(&mut hasher, algorithm);
        }
    }
    hasher
}

/// Fails where a checksum that was announced as a trailer has not come.
pub fn all_came(announced: Option<&str>, trailers: &HeaderMap) -> S3Result<()> {
    let mut names = announced.unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    match names.find(|name| !trailers.contains_key(*name)) {
        Some(_) => Err(s3_error!(IncompleteBody, "a trailer that was announced did not come")),
        None => Ok(()),
    }
}

fn enable(hasher: &mut ChecksumHasher, algorithm: Algorithm) {
    match algorithm {
        Algorithm::Crc32 => hasher.crc32 = Some(s3s::crypto::Crc32::new()),
        Algorithm::Crc32c => hasher.crc32c = Some(s3s::crypto::Crc32c::new()),
        Algorithm::Crc64Nvme => hasher.crc64nvme = Some(s3s::crypto::Crc64Nvme::new()),
        Algorithm::Sha1 => hasher.sha1 = Some(s3s::crypto::Sha1::new()),
        Algorithm::Sha256 => hasher.sha256 = Some(s3s::crypto::Sha256::new()),
    }
}

/// What the hasher computed.
pub fn finalize(hasher: ChecksumHasher) -> Sums {
    let mut computed = hasher.finalize();
    sums_of!(computed)
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, Sums, finalize, hasher};

    #[test]
    fn every_algorithm_is_computed_and_compared() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::parse(&algorithm.as_str().to_lowercase()).unwrap(), algorithm);
            let mut hasher = hasher(&Sums::default(), Some(algorithm.header()), None);
            hasher.update(b"123456789");
            let computed = finalize(hasher);
            assert!(computed.get(algorithm).is_some());
            let mut sent = Sums::default();
            sent.check(&computed).unwrap();
            sent.set(algorithm, "AAAA".to_owned());
            assert!(sent.check(&computed).is_err(), "{algorithm:?}");
            computed.check(&computed.clone()).unwrap();
        }
    }

    #[test]
    fn the_checksums_are_the_published_ones() {
        let mut hasher = hasher(&Sums::default(), Some("x-amz-checksum-crc32, x-amz-checksum-crc32c"), None);
        hasher.update(b"123456789");
        let sums = finalize(hasher);
        assert_eq!(sums.crc32.as_deref(), Some("y/Q5Jg=="));
        assert_eq!(sums.crc32c.as_deref(), Some("4waSgw=="));
    }
}
