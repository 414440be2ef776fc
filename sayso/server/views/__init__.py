"""What pages show: each gathers one page's facts, which `pages/` puts into words and markup."""
