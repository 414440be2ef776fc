"""The keys above the people's keys: how they stand, and a roll. Only through the local socket."""

from pathlib import Path

from litestar import get, post
from litestar.di import NamedDependency
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody
from msgspec import Struct

from sayso.server.call import Call
from sayso.server.callers.auth import OPERATOR
from sayso.server.routes.gate import admits
from sayso.server.running.precautions import demand_away
from vault import EpochList, EpochView, NewRoll, NoEpoch, RollView, keybackup


@get("/v1/vault/epochs", opt=admits(OPERATOR), operation_id="vault_keys.list", tags=["Operator"])
async def list_epochs(call: NamedDependency[Call]) -> EpochList:
    """The brand's tenant keys, oldest first, with how many people's keys lie under each, and the last roll."""
    return await call.look(call.services.epochs.listed)


@post("/v1/vault/epochs", opt=admits(OPERATOR), operation_id="vault_keys.rotate", tags=["Operator"])
async def rotate(call: NamedDependency[Call]) -> EpochView:
    """Lay down the next epoch at the provider. It is not used before a roll, so that every node can have it first."""
    services = call.services
    made = await services.epochs.rotate(services.database, call.context)
    await services.configurations.refresh(call.tenant)
    return made


@post("/v1/vault/roll", opt=admits(OPERATOR), operation_id="vault_keys.roll", tags=["Operator"])
async def roll(call: NamedDependency[Call], data: JSONBody[NewRoll]) -> RollView:
    """Use the next epoch, and begin to wrap every key anew under it. The workers do that; nothing stands still."""
    services = call.services
    begun = await services.epochs.roll(services.database, call.context, data)
    await services.configurations.refresh(call.tenant)
    return begun


@post("/v1/vault/roll/pause", opt=admits(OPERATOR), operation_id="vault_keys.pause", tags=["Operator"], status_code=200)
async def pause(call: NamedDependency[Call]) -> RollView:
    """Stop wrapping anew after the present step."""
    return await call.alone(call.services.epochs.pause)


@post(
    "/v1/vault/roll/resume", opt=admits(OPERATOR), operation_id="vault_keys.resume", tags=["Operator"], status_code=200
)
async def resume(call: NamedDependency[Call]) -> RollView:
    """Go on where it was paused."""
    return await call.alone(call.services.epochs.resume)


@post(
    "/v1/vault/epochs/{epoch:str}/enable",
    opt=admits(OPERATOR),
    operation_id="vault_keys.enable",
    tags=["Operator"],
    status_code=200,
)
async def enable(call: NamedDependency[Call], epoch: FromPath[str]) -> EpochView:
    """Call a disabled epoch back. The roll is paused.

    Keys of people who were erased, should a copy have brought them back under it, are destroyed before it opens.
    """
    await call.services.again.enforce(call.services.database, call.context)
    return await call.alone(lambda tx: call.services.epochs.enable(tx, _number(epoch)))


@post(
    "/v1/vault/epochs/{epoch:str}/destroy",
    opt=admits(OPERATOR),
    operation_id="vault_keys.destroy",
    tags=["Operator"],
    status_code=200,
)
async def destroy(call: NamedDependency[Call], epoch: FromPath[str]) -> EpochView:
    """Destroy a disabled epoch before its grace is over. The key table must have been backed up since."""
    services = call.services
    gone = await services.epochs.destroy(services.database, call.context, _number(epoch))
    await services.configurations.refresh(call.tenant)
    return gone


class KeyBackup(Struct, frozen=True, forbid_unknown_fields=True):
    """The file to write: an absolute path on this machine."""

    out: str


@post("/v1/vault/backup", opt=admits(OPERATOR), operation_id="vault_keys.backup", tags=["Operator"], status_code=200)
async def backup(call: NamedDependency[Call], data: JSONBody[KeyBackup]) -> keybackup.KeyTableCopy:
    """Copy the brand's key table to a file on this machine. What is disabled can be destroyed after that."""
    services, out = call.services, Path(data.out)
    demand_away(services.settings, out)
    epoch = services.keyring.of(call.tenant).epoch
    copied = await keybackup.write(services.database, call.context, epoch, out)
    await call.alone(lambda tx: services.epochs.backed_up(tx, copied.at))
    return copied


def _number(epoch: str) -> int:
    if not epoch.isdecimal() or len(epoch) > 9:
        raise NoEpoch
    return int(epoch)


handlers: list[BaseRouteHandler] = [list_epochs, rotate, roll, pause, resume, enable, destroy, backup]
