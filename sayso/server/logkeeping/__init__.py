"""The log beyond its entries: exports, evidence, publication, witnesses, time stamps, and what an older copy lost."""
