"""The section `drp` of a manifest: who we are in the network of the Data Rights Protocol, and which agents we know.

drp:
  business: HUANGSHAN_HALE                # our id in the network's directory
  agents:
    CONSUMER_AGENT:                       # theirs
      name: Consumer agent
      verify_key: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

The directory is where the network says which key is whose (section 3.05.1); here is what of it this brand trusts.
"""

import binascii
import re
from base64 import b64decode
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec import Struct

from sayso.kernel import Map, Node, Problem, problem
from sayso.server.manifests.sections import known_members, text_of

_ID: Final = re.compile(r"[A-Z][A-Z0-9_]{0,49}")
_MEMBERS: Final = ("business", "agents")
_AGENT: Final = ("name", "verify_key")
_KEY: Final = 32


class Agent(Struct, frozen=True):
    """An authorized agent: its id in the network, how people call it, its Ed25519 key (32 raw bytes)."""

    id: str
    name: str
    verify_key: bytes

    @property
    def client(self) -> str:
        """The name of the API client that it is here."""
        return f"drp-{self.id.lower()}"


class Network(Struct, frozen=True):
    """Our own id in the network, empty when this brand is in none, and the agents by id."""

    business: str = ""
    agents: dict[str, Agent] = {}

    def behind(self, client: str) -> Agent | None:
        """The agent that acts as this API client."""
        return next((each for each in self.agents.values() if each.client == client), None)


def parse_drp(node: Node | None, problems: list[Problem]) -> Network:
    """The section; an empty one ends what was declared. What is wrong is added to `problems`."""
    if node is None or (isinstance(node, Map) and not len(node)):
        return Network()
    if not isinstance(node, Map):
        problems.append(problem(node, "The section 'drp' has two members: 'business' and 'agents'."))
        return Network()
    known_members(node, _MEMBERS, problems)
    business = text_of(node, "business")
    if not _ID.fullmatch(business):
        problems.append(problem(node.get("business") or node, "'business' is our id in the network: A-Z, 0-9 and '_'."))
    agents = node.get("agents")
    if not isinstance(agents, Map):
        problems.append(problem(agents or node, "'agents' is a mapping of the agents' ids."))
        return Network()
    found: dict[str, Agent] = {}
    for name, child in agents.items():
        if not _ID.fullmatch(name):
            problems.append(Problem(agents.file, agents.lines[name], f"{name!r} is no agent's id: A-Z, 0-9 and '_'."))
        elif not isinstance(child, Map):
            problems.append(problem(child, f"Agent {name!r} is a mapping."))
        else:
            known_members(child, _AGENT, problems)
            found[name] = Agent(name, text_of(child, "name") or name, _key(child, problems))
    return Network(business, found)


def _key(node: Map, problems: list[Problem]) -> bytes:
    text = text_of(node, "verify_key")
    try:
        raw = b64decode(text + "=" * (-len(text) % 4), validate=True)
        if len(raw) == _KEY:
            Ed25519PublicKey.from_public_bytes(raw)
            return raw
    except (binascii.Error, ValueError):
        pass
    message = "'verify_key' is the agent's public Ed25519 key, 32 bytes in base64, as the directory has it."
    problems.append(problem(node.get("verify_key") or node, message))
    return b""
