"""Where this installation publishes its logs: a directory, or a bucket (extra `s3`)."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audit import (
    Directory,
    Head,
    LogForked,
    PublishedAltered,
    Publisher,
    Shelf,
    ShelfUnusable,
)
from sayso.kernel import SYSTEM, Context, Invalid, now
from sayso.server.settings import Settings

if TYPE_CHECKING:
    from sayso.server.wiring import Services

BUCKET = "s3://"


class Bucket:
    """A bucket of S3-compatible storage. Credentials come as boto3 finds them: environment, file, role."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix

    async def get(self, name: str) -> bytes | None:
        return await self._ask(self._get, name)  # type: ignore[no-any-return]

    async def put(self, name: str, content: bytes, media_type: str, cache: str) -> None:
        await self._ask(self._put, name, content, media_type, cache)

    async def drop(self, prefix: str) -> None:
        await self._ask(self._drop, prefix)

    async def _ask(self, work: Any, *words: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return await asyncio.to_thread(work, *words)
        except (BotoCoreError, ClientError) as error:
            raise ShelfUnusable from error

    def _get(self, name: str) -> bytes | None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + name)
        except self._client.exceptions.NoSuchKey:
            return None
        content: bytes = found["Body"].read()
        return content

    def _put(self, name: str, content: bytes, media_type: str, cache: str) -> None:
        self._client.put_object(
            Bucket=self._bucket, Key=self._prefix + name, Body=content, ContentType=media_type, CacheControl=cache
        )

    def _drop(self, prefix: str) -> None:
        # At most 255 narrower tiles lie below one: a page of the listing holds a thousand.
        found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix + prefix)
        for each in found.get("Contents", ()):
            self._client.delete_object(Bucket=self._bucket, Key=each["Key"])


class Publishing:
    """The publisher of one process. Without `publish_to` nothing is published."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self.every = float(services.settings.publish_every)
        shelf = shelf_of(services.settings)
        entries = services.settings.publish_entries
        self._publisher = Publisher(shelf, services.audit.observed, entries=entries) if shelf is not None else None
        self._done: set[tuple[str, str]] = set()
        if self._publisher is not None:
            services.audit.remember_by(self._remembered)

    @property
    def configured(self) -> bool:
        return self._publisher is not None

    async def round(self) -> None:
        """Publish the newest checkpoint of each log."""
        if self._publisher is None:
            return
        services, failed = self._services, None
        for tenant in services.configurations.tenants():
            try:
                context = Context(tenant, SYSTEM, now(), "publish")
                keys = await services.database.look(context, services.audit.keys)
                for log, ended in await services.database.look(context, services.audit.shown):
                    if (tenant, log) not in self._done:
                        await self._publisher.round(services.database, context, log, keys)
                        # A closed log is published once; its last checkpoint was signed before the next log began.
                        self._done |= {(tenant, log)} if ended else set()
            except (ShelfUnusable, PublishedAltered, LogForked) as error:
                failed = error
        if failed is not None:
            raise failed

    async def _remembered(self, tenant: str, log: str) -> Head | None:
        context = Context(tenant, SYSTEM, now(), "publish")
        keys = await self._services.database.look(context, lambda tx: self._services.audit.keys_of(tx, log))
        return await self._publisher.remembered(tenant, log, keys) if self._publisher is not None else None


def shelf_of(settings: Settings) -> Shelf | None:
    """The place that the settings name. Raises `Invalid` when it cannot be used."""
    place = settings.publish_to
    if not place.startswith(BUCKET):
        return Directory(Path(place)) if place else None
    try:
        import boto3
    except ImportError:
        raise Invalid(
            "invalid-setting", "publish_to names a bucket, which needs the optional part: pip install 'sayso[s3]'."
        ) from None
    bucket, _, prefix = place.removeprefix(BUCKET).partition("/")
    client = boto3.client(
        "s3", endpoint_url=settings.publish_endpoint or None, region_name=settings.publish_region or None
    )
    return Bucket(client, bucket, f"{prefix.rstrip('/')}/" if prefix else "")
