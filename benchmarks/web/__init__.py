"""What a visitor's browser pays: the banner beside two rivals, the preference centre, and the server's side of both."""
