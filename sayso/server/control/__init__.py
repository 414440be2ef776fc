"""Change control: who changes what decides, with whose approval, and the way back.

Read `activation.py` first: the one place where a version becomes live. `bringing.py` is the way there, from a manifest
to the commit; `proposals.py` is the wait for a second person, `rollback.py` the way back, `versions.py` what was.
"""
