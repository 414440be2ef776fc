"""Signed messages that were taken: each stands for one act, once.

Agents of the Data Rights Protocol (`sayso.server.drp`) and parties of the deletion framework (`sayso.server.iab`) sign
what they bring. `store.py` remembers a message until it would no longer count; `stated.py` keeps what they say in line.
"""
