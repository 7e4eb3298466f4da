"""Writers that remember what was acknowledged, to be compared with what is there afterwards."""

from __future__ import annotations

import hashlib
import random
import threading
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.management import Management, Problem
from s3.world import BUCKET, User

KEYS = 12
Digest = str | None


def digest(data: bytes) -> Digest:
    return hashlib.sha256(data).hexdigest()


class Writer:
    """Puts, replaces, uploads in parts and deletes a few keys of its own; knows what each may hold.

    A key holds what was acknowledged last. After a write without an answer it may hold what that wrote as well.
    """

    def __init__(self, user: User, number: int, seed: int) -> None:
        self.user = user
        self.number = number
        self.acknowledged = 0
        self._random = random.Random(seed * 1000 + number)
        self._may_hold: dict[str, set[Digest]] = {f"{number}/{n}": {None} for n in range(KEYS)}
        self._key = user.key("Full")

    def connect(self) -> Any:
        return self.user.connect(self._key, connect_timeout=5, read_timeout=20)

    def write(self, client: Any) -> None:
        """One change."""
        key = self._random.choice(list(self._may_hold))
        kind = self._random.random()
        data = self._random.randbytes(self._random.choice([0, 100, 4096, 300_000]))
        new: Digest = None if kind < 0.15 else digest(data)
        self._may_hold[key].add(new)
        at = {"Bucket": BUCKET, "Key": key}
        if kind < 0.15:
            client.delete_object(**at)
        elif kind < 0.25:
            upload = client.create_multipart_upload(**at)["UploadId"]
            tag = client.upload_part(**at, UploadId=upload, PartNumber=7, Body=data)["ETag"]
            parts = {"Parts": [{"PartNumber": 7, "ETag": tag}]}
            client.complete_multipart_upload(**at, UploadId=upload, MultipartUpload=parts)
        else:
            client.put_object(**at, Body=data)
        self._may_hold[key] = {new}
        self.acknowledged += 1

    def until_it_fails(self, stop: threading.Event) -> None:
        """Writes until told to stop, or until the server is gone."""
        client = self.connect()
        try:
            while not stop.is_set():
                self.write(client)
        except (BotoCoreError, ClientError, OSError):
            return

    def compare(self, client: Any) -> list[str]:
        """What is there and must not be. What is there is what is known from now on."""
        wrong = []
        for key, may_hold in self._may_hold.items():
            try:
                found = digest(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchKey":
                    raise
                found = None
            if found not in may_hold:
                wrong.append(f"{key}: found {found}, not one of {may_hold}")
            self._may_hold[key] = {found}
        return wrong


class KeyMaker:
    """Makes access keys and revokes every third; knows which of it was acknowledged."""

    def __init__(self, user: User, admin: Management) -> None:
        self.user = user
        self.admin = admin
        self.acknowledged: set[str] = set()
        self.revoked: set[str] = set()
        # Revoked without an answer: they may be there or not.
        self._asked: set[str] = set()
        self._made = 0

    def until_it_fails(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                key = self.user.key("Read").access_key_id
                self.acknowledged.add(key)
                self._made += 1
                if self._made % 3 == 0:
                    self._asked.add(key)
                    self.admin.revoke(key)
                    self.revoked.add(key)
        except (Problem, OSError):
            return

    def compare(self) -> list[str]:
        there = {key["accessKeyId"] for key in self.admin.access_keys(user=self.user.id)}
        lost = [f"the key {key} is lost" for key in self.acknowledged - self._asked - there]
        return lost + [f"the key {key} was revoked, and is there" for key in self.revoked & there]
