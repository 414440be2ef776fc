"""The provider `aws-kms`: AWS Key Management Service.

Each key is a symmetric KMS key under an alias. KMS keeps a key that is to go for at least seven days, in which an
administrator there can call it back: what it wrapped is final only after that. Settings: `region`, and, if need be,
`endpoint` (a private one), `waiting_days` (7 to 30). Credentials come as for any AWS client (role, profile,
environment). Needed: kms:CreateKey, CreateAlias, TagResource, DescribeKey, Encrypt, Decrypt, ScheduleKeyDeletion.
"""

from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from sayso.kernel import DAY, from_datetime
from vault.ciphers.suite import BrokenSeal
from vault.providers.outside import TIMEOUT_S, InvalidProvider, Wanted
from vault.providers.provider import KeyGone, ProviderDown, ProviderRefuses

KIND: Final = "aws-kms"
_WANTED: Final = Wanted(KIND, ("region",), {"endpoint": "", "waiting_days": "7"})
_GONE: Final = ("NotFoundException", "AlreadyExistsException")
_UNUSABLE: Final = ("KMSInvalidStateException", "DisabledException")
_REFUSED: Final = (
    "AccessDeniedException",
    "IncorrectKeyException",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "ExpiredTokenException",
    *_UNUSABLE,
)


class Service:
    """KMS in one region."""

    def __init__(self, settings: dict[str, str], waiting_days: int) -> None:
        config = Config(
            connect_timeout=TIMEOUT_S, read_timeout=TIMEOUT_S, retries={"total_max_attempts": 2, "mode": "standard"}
        )
        self._waiting_days = waiting_days
        self._kms: Any = boto3.client(
            "kms", region_name=settings["region"], endpoint_url=settings["endpoint"] or None, config=config
        )

    def make(self, name: str) -> None:
        try:
            self._ask("describe_key", name, KeyId=_alias(name))
        except KeyGone:
            tags = [{"TagKey": "sayso", "TagValue": name}]
            made = self._ask("create_key", name, Description=name, KeyUsage="ENCRYPT_DECRYPT", Tags=tags)
            self._ask("create_alias", name, AliasName=_alias(name), TargetKeyId=made["KeyMetadata"]["KeyId"])

    def seal(self, name: str, secret: bytes, context: dict[str, str]) -> bytes:
        answer = self._ask("encrypt", name, KeyId=_alias(name), Plaintext=secret, EncryptionContext=context)
        sealed: bytes = answer["CiphertextBlob"]
        return sealed

    def open(self, name: str, sealed: bytes, context: dict[str, str]) -> bytes:
        answer = self._ask("decrypt", name, KeyId=_alias(name), CiphertextBlob=sealed, EncryptionContext=context)
        opened: bytes = answer["Plaintext"]
        return opened

    def destroy(self, name: str, at: int) -> int:
        try:
            told = self._ask("describe_key", name, KeyId=_alias(name))["KeyMetadata"]
        except KeyGone:
            return at
        if told["KeyState"] not in ("PendingDeletion", "PendingReplicaDeletion"):
            days = self._waiting_days
            told = self._ask("schedule_key_deletion", name, KeyId=told["KeyId"], PendingWindowInDays=days)
        date = told.get("DeletionDate")
        return from_datetime(date) if date is not None else at + self._waiting_days * DAY

    def _ask(self, call: str, name: str, **values: Any) -> Any:
        try:
            return getattr(self._kms, call)(**values)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in _GONE:
                raise KeyGone(KIND, name) from None
            if code in ("InvalidCiphertextException", "ValidationException"):
                raise BrokenSeal from None
            raise (ProviderRefuses(KIND) if code in _REFUSED else ProviderDown(KIND)) from None
        except ParamValidationError:
            raise BrokenSeal from None
        except BotoCoreError:
            raise ProviderDown(KIND) from None


def store(settings: dict[str, str]) -> Service:
    """KMS as `settings` lead to it. Raises `InvalidProvider`."""
    read = _WANTED.read(settings)
    days = read["waiting_days"]
    if not days.isdecimal() or not 7 <= int(days) <= 30:
        raise InvalidProvider(KIND, "waiting_days is 7 to 30.")
    try:
        return Service(read, int(days))
    except (BotoCoreError, ValueError):
        raise InvalidProvider(KIND, "region or endpoint cannot be used.") from None


def _alias(name: str) -> str:
    return f"alias/{name}"
