"""Formats and arithmetic of transparency logs (C2SP, RFC 9162). Pure: no database, no clock, no keys of ours."""
