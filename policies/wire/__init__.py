"""Questions and answers as they travel: AuthZEN one by one and its searches, and our own columns. Pure."""
