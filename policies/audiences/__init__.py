"""Questions about very many people: `crowds.py` decides, `answers.py` writes down, `kept.py` keeps lists.

`aids.py` is the form in which lists travel. `shapes.py` says which people are alike to a decision, `columns.py` holds
everybody's shape, `turning.py` says until when an answer stands; `judged.py` is an answer before it is written, and
`reads.py` what is read for one. docs/decisions/0018 tells why it is so.
"""
