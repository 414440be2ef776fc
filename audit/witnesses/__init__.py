"""Others who vouch for a head: witnesses both ways, and authorities that stamp the time."""
