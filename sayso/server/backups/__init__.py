"""Backups of the whole store, and putting them back.

A backup is two folders that are kept apart: data (`data.rows`, and `backup.jws`, which says what it is and is signed)
and key tables (`<brand>.keytable`). `rowfile.py` is the form of the first, `vault.keys.keybackup` of the second,
`description.py` what is signed; `making.py` makes a backup beside a running server, `putting_back.py` puts one back and
`settling.py` does what must be done before it is served. The form is docs/formats/backup.md.
"""
