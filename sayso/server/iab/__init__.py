"""Deletion requests by the Data Deletion Request Framework 1.0 of the IAB Tech Lab (May 2024): what people asked of a
publisher, which passes it on to those with whom it shared data.

https://github.com/InteractiveAdvertisingBureau/Data-Subject-Rights

Read `messages.py` first: the tokens, the order in which they are checked, and the receipt, pure. `declared.py` is the
manifest's section `iab_deletion` and what of it is published as `dsrdelete.json`; `desk.py` opens the rights request.
"""
