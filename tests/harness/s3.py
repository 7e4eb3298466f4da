"""S3 as an application uses it: boto3 with what a published Secret says, whatever its format."""

from __future__ import annotations

import configparser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError


@dataclass(frozen=True)
class Credentials:
    """One key pair and where to use it; what a format does not carry is None."""

    access_key_id: str
    secret_access_key: str
    endpoint: str | None = None
    region: str | None = None
    bucket: str | None = None

    def __repr__(self) -> str:
        return f"Credentials({self.access_key_id[:4]}…)"


# The entries of each flat format: id, secret, endpoint, region, bucket.
_FLAT = (
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "BUCKET_NAME"),
    ("COSI_S3_ACCESS_KEY_ID", "COSI_S3_ACCESS_SECRET_KEY", "COSI_S3_ENDPOINT", "COSI_S3_REGION", "COSI_S3_BUCKET_ID"),
    ("access-key", "secret-key", "endpoint", "region", "bucket"),
    ("access_key_id", "access_key_secret", "endpoint", "region", "bucketnames"),
    ("ACCESS_KEY_ID", "ACCESS_SECRET_KEY", None, "REGION", None),
    ("REGISTRY_STORAGE_S3_ACCESSKEY", "REGISTRY_STORAGE_S3_SECRETKEY", None, None, None),
    ("username", "password", None, None, None),
    ("accesskey", "secretkey", None, None, None),
)


def _ini(text: str) -> Credentials:
    parser = configparser.ConfigParser()
    parser.read_string(text)
    section = parser[parser.sections()[0] if parser.sections() else "default"]
    secret = section.get("aws_secret_access_key") or section["secret_access_key"]
    identity = section.get("aws_access_key_id") or section["access_key_id"]
    return Credentials(identity, secret, section.get("endpoint"), section.get("region"))


def credentials(entries: dict[str, str]) -> Credentials:
    """The key pair in a Secret of any format that storekeeper publishes."""
    for name in ("cloud", "rclone.conf"):
        if name in entries:
            return _ini(entries[name])
    if "objstore.yml" in entries:
        config = yaml.safe_load(entries["objstore.yml"])["config"]
        return Credentials(
            config["access_key"],
            config["secret_key"],
            f"https://{config['endpoint']}",
            config["region"],
            config["bucket"],
        )
    for identity, secret, endpoint, region, bucket in _FLAT:
        if identity in entries:
            there = [entries.get(name) if name else None for name in (endpoint, region, bucket)]
            return Credentials(entries[identity], entries[secret], *there)
    raise AssertionError(f"no known Secret format has these entries: {sorted(entries)}")


def client(given: Credentials, ca: Path, endpoint: str, region: str) -> Any:
    """A boto3 client; `endpoint` and `region` stand in where the Secret's format does not carry them."""
    url = given.endpoint or endpoint
    return boto3.client(
        "s3",
        aws_access_key_id=given.access_key_id,
        aws_secret_access_key=given.secret_access_key,
        endpoint_url=url if "://" in url else f"https://{url}",
        region_name=given.region or region,
        verify=str(ca),
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}, connect_timeout=5, read_timeout=20),
    )


def refusal(error: ClientError) -> tuple[int, str]:
    """Status and code of a refused call, for example (403, 'AccessDenied')."""
    return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"].get("Code", "")
