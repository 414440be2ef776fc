"""Other systems that hold data of the same people: what they are told to do about a request, and what they answer.

Read `tasks.py` first: `TaskDesk` makes a task for each system concerned, in the commit that does our own part, and
takes the answers. `declared.py` is the manifest's section `systems`, `statements.py` what a SQL system may be told,
`model.py` a task and its states, pure.
"""

from rights.systems.answers import DATA_LIMIT as RESULT_LIMIT
from rights.systems.answers import encoded_result
from rights.systems.declared import CONNECTORS, OURS, READING, Connector, System, Systems, concerned, parse_systems
from rights.systems.model import Task, TaskState, UnknownTask
from rights.systems.opendsr import regulation_of
from rights.systems.statements import Statement
from rights.systems.statements import refusal as statement_refusal
from rights.systems.statements import words_of as statement_words
from rights.systems.tasks import Leased, Reach, TaskDesk
from rights.systems.view import Answered, Handed, TaskPage, TaskView

__all__ = [
    "CONNECTORS",
    "OURS",
    "READING",
    "RESULT_LIMIT",
    "Answered",
    "Connector",
    "Handed",
    "Leased",
    "Reach",
    "Statement",
    "System",
    "Systems",
    "Task",
    "TaskDesk",
    "TaskPage",
    "TaskState",
    "TaskView",
    "UnknownTask",
    "concerned",
    "encoded_result",
    "parse_systems",
    "regulation_of",
    "statement_refusal",
    "statement_words",
]
