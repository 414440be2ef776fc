"""Requests that agents bring by the Data Rights Protocol 1.0 (CCPA; a closed network of agents that are known by key).

Read `messages.py` first: what an agent signs and in which order it is checked, pure. `declared.py` is the manifest's
section `drp`, `status.py` what an agent is told of a request, `desk.py` what agents may do, `callbacks.py` tells them
when something changed.
"""
