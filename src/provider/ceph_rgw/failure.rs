//! What a refusal of the gateway proves. Its messages are empty: status and code are all there is.

use crate::provider::ErrorKind;
use http::StatusCode;

/// What came back instead of success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its status.
    pub status: u16,
    /// Its code, such as `NoSuchUser`; empty where the answer has none, so that it need not be the gateway's.
    pub code: String,
}

/// A call that failed.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The gateway said no.
    Refused(Refusal),
    /// Anything else.
    Other(ErrorKind),
}

impl From<ErrorKind> for Failure {
    fn from(kind: ErrorKind) -> Self {
        Self::Other(kind)
    }
}

impl Failure {
    /// Whether the gateway said exactly that.
    pub fn is(&self, status: StatusCode, code: &str) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == status.as_u16() && refusal.code == code)
    }

    /// Whether something that was asked for by name is definitely not there.
    pub fn is_absence(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == 404 && is_absence(&refusal.code))
    }

    /// As the provider reports it.
    pub fn kind(self) -> ErrorKind {
        match self {
            Self::Refused(refusal) => refusal.kind(),
            Self::Other(kind) => kind,
        }
    }

    /// The same, where something may have been made before: then no failure proves that nothing was.
    pub fn after_a_write(self) -> ErrorKind {
        let kind = self.kind();
        let definite =
            crate::provider::Error { op: "", object: String::new(), kind: kind.clone() }.is_definite();
        if definite { ErrorKind::Failed(format!("half-way: {kind}")) } else { kind }
    }
}

fn is_absence(code: &str) -> bool {
    matches!(code, "NoSuchUser" | "NoSuchKey" | "NoSuchBucket" | "NoSuchEntity")
}

impl Refusal {
    /// Reads a refusal: JSON from the Admin Ops API, XML from IAM and S3.
    pub fn new(status: StatusCode, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let code =
            between(&text, "<Code>", "<").or_else(|| between(&text, "\"Code\":\"", "\"")).unwrap_or_default();
        let plain = code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        Self { status: status.as_u16(), code: if plain { code.to_owned() } else { String::new() } }
    }

    /// Whether the same request may succeed in a moment: the gateway answers so when changes of one user race.
    pub fn passes(&self) -> bool {
        matches!(
            (self.status, self.code.as_str()),
            (500, "UnknownError") | (409, "ConcurrentModification" | "OperationAborted") | (503, "SlowDown")
        )
    }

    fn kind(&self) -> ErrorKind {
        let Self { status, code } = self;
        let failed = || ErrorKind::Failed(format!("it answered {status} {code}").trim_end().to_owned());
        match (status, code.as_str()) {
            // Without a code it is not the gateway that speaks but something on the way, which proves nothing.
            (_, "") => failed(),
            (404, code) if is_absence(code) => ErrorKind::NotFound,
            (403, "InvalidAccessKeyId" | "SignatureDoesNotMatch") => ErrorKind::Unauthenticated,
            (403, "UserSuspended") => ErrorKind::Forbidden("the operator's user is suspended".to_owned()),
            (403, "RequestTimeTooSkewed") => {
                ErrorKind::Forbidden("its clock and the operator's differ too much".to_owned())
            }
            (403, "QuotaExceeded") | (400, "TooManyBuckets") => ErrorKind::QuotaExceeded(code.clone()),
            (403, code) => ErrorKind::Forbidden(format!("{code}; the operator's user may lack a capability")),
            (409, "UserAlreadyExists" | "KeyExists" | "EmailExists" | "BucketAlreadyExists") => {
                ErrorKind::NameTaken(code.clone())
            }
            (409, "BucketNotEmpty") => ErrorKind::InUse("it is not empty".to_owned()),
            (400, code) if code.starts_with("Invalid") => ErrorKind::Refused(code.to_owned()),
            (405, _) => ErrorKind::NotSupported("its Admin Ops API does not know the request".to_owned()),
            _ => failed(),
        }
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::{Failure, Refusal};
    use crate::provider::{Error, ErrorKind};
    use http::StatusCode;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::new(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    fn json(code: &str) -> String {
        format!(r#"{{"Code":"{code}","Message":"","RequestId":"tx1"}}"#)
    }

    fn definite(kind: ErrorKind) -> bool {
        Error { op: "try", object: String::new(), kind }.is_definite()
    }

    #[test]
    fn codes_are_read_from_json_and_xml() {
        assert_eq!(refusal(404, &json("NoSuchUser")).code, "NoSuchUser");
        assert_eq!(
            refusal(409, "<?xml?><Error><Code>BucketAlreadyExists</Code></Error>").code,
            "BucketAlreadyExists"
        );
        for nothing in ["", "<html>404</html>", r#"{"Code":"a b"}"#, r#"{"Code":""}"#] {
            assert_eq!(refusal(404, nothing).code, "", "{nothing}");
        }
    }

    #[test]
    fn only_the_gateways_own_codes_mean_absent() {
        for code in ["NoSuchUser", "NoSuchKey", "NoSuchBucket", "NoSuchEntity"] {
            assert!(Failure::Refused(refusal(404, &json(code))).is_absence(), "{code}");
            assert!(!Failure::Refused(refusal(500, &json(code))).is_absence(), "{code}");
        }
        for body in ["", "<html>not found</html>", &json("NoSuchThing")] {
            assert!(!Failure::Refused(refusal(404, body)).is_absence(), "{body}");
            assert!(!definite(refusal(404, body).kind()), "{body}");
        }
        assert!(!Failure::Refused(refusal(403, &json("InvalidAccessKeyId"))).is_absence());
    }

    #[test]
    fn what_is_no_refusal_of_the_gateway_proves_nothing() {
        for (status, body) in
            [(403, ""), (409, ""), (500, &*json("UnknownError")), (503, &json("SlowDown")), (502, "")]
        {
            assert!(!definite(refusal(status, body).kind()), "{status} {body}");
        }
        assert!(matches!(refusal(403, &json("InvalidAccessKeyId")).kind(), ErrorKind::Unauthenticated));
        assert!(matches!(refusal(403, &json("AccessDenied")).kind(), ErrorKind::Forbidden(_)));
        assert!(matches!(refusal(409, &json("KeyExists")).kind(), ErrorKind::NameTaken(_)));
    }

    #[test]
    fn after_a_write_no_failure_is_definite() {
        for failure in [
            Failure::Refused(refusal(403, &json("AccessDenied"))),
            Failure::Refused(refusal(404, &json("NoSuchUser"))),
            Failure::Other(ErrorKind::NoAnswer("silence".to_owned())),
        ] {
            assert!(!definite(failure.after_a_write()));
        }
    }

    #[test]
    fn races_within_the_gateway_pass() {
        assert!(refusal(500, &json("UnknownError")).passes());
        assert!(!refusal(500, "").passes() && !refusal(409, &json("KeyExists")).passes());
    }
}
